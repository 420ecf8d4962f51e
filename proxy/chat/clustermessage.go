package chat

import (
	"encoding/binary"
	"errors"

	"github.com/gorilla/websocket"
)

// The kinds of messages between processes. Those up come from a process whose clients are somewhere else
// than their person's socket at the Cat; those down go there.
const (
	messageOpen      = 1 + iota // up: a session; text is the person, data the claim, n says how it comes
	messageSend                 // up: message n of a client
	messageAck                  // up: n things were taken so far
	messageLeave                // up: the last client has left, n things were taken; rest was not read
	messageOpened               // down: the session stands; n answers are under way to other clients
	messageBroadcast            // down: what the Cat says; n is 1 if nobody else is given it
	messagePassed               // down: message n was passed on
	messageAnswered             // down: the answer to message n is complete
	messageFailed               // down: message n may be lost; data says why
	messageEnd                  // both: the session is over; n says how
	messagePending              // down: n answers are under way to other clients
)

// What the n of a messageEnd means.
const (
	endAgain  = 0 // find the person's socket again
	endFinal  = 1 // close the clients
	endMissed = 2 // as endAgain, and something was left out
	endParted = 3 // the bye has come: what is under way is the sender's care now
)

// What the n of a messageOpen says, beside what the clients lack; both may hold.
const (
	openLate  = 1 // it had a claim for too long, and may have disturbed the socket
	openAgain = 2 // its clients were there before the socket was
)

// saidAlone is the n of a messageBroadcast that goes to one process and no client of this one's.
const saidAlone = 1

const sessionSize = 16

// onlyBit marks the kind of a thing in rest that no other process was given.
const onlyBit = 0x80

// clusterMessage is what processes say to each other about one session: the clients that one
// of them has of a person whose socket at the Cat another has.
type clusterMessage struct {
	kind    int
	session string // sessionSize bytes
	n       uint64
	frame   int // the kind of a WebSocket message
	text    string
	data    []byte
	rest    []*outbound
}

var errMessage = errors.New("a message of another process that can't be read")

func (p *clusterMessage) encode() []byte {
	b := make([]byte, 0, sessionSize+len(p.text)+len(p.data)+24)
	b = append(b, byte(p.kind)) //nolint:gosec // one of a few
	b = append(b, p.session...)
	b = binary.AppendUvarint(b, p.n)
	b = append(b, byte(p.frame)) //nolint:gosec // text or binary
	b = appendBytes(b, []byte(p.text))
	b = appendBytes(b, p.data)
	for _, m := range p.rest {
		kind := byte(m.kind) //nolint:gosec // text or binary
		if m.only {
			kind |= onlyBit
		}
		b = appendBytes(append(b, kind), m.data)
	}
	return b
}

func appendBytes(b, p []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(p))), p...)
}

// passedOf is the number of the last message that was passed on, which an end has.
func passedOf(p *clusterMessage) *uint64 {
	if len(p.data) != 8 {
		return nil // of an earlier version, or of somebody who does not know the session
	}
	n := binary.BigEndian.Uint64(p.data)
	return &n
}

// readMessage is encode's reverse. It trusts nothing.
func readMessage(b []byte) (*clusterMessage, error) {
	in := messageReader{b: b}
	p := &clusterMessage{kind: int(in.byte()), session: string(in.take(sessionSize)), n: in.uvarint(), frame: int(in.byte())}
	p.text, p.data = string(in.bytes()), in.bytes()
	for !in.bad && len(in.b) > 0 {
		kind := in.byte()
		p.rest = append(p.rest, &outbound{kind: int(kind &^ onlyBit), data: in.bytes(), only: kind&onlyBit != 0})
	}
	if in.bad || p.kind < messageOpen || p.kind > messagePending || !p.isWhole() {
		return nil, errMessage
	}
	return p, nil
}

// isWhole reports whether what it carries are messages of a WebSocket.
func (p *clusterMessage) isWhole() bool {
	if (p.kind == messageSend || p.kind == messageBroadcast) && !isData(p.frame) {
		return false
	}
	for _, m := range p.rest {
		if !isData(m.kind) {
			return false
		}
	}
	return len(p.rest) == 0 || p.kind == messageLeave
}

func isData(kind int) bool { return kind == websocket.TextMessage || kind == websocket.BinaryMessage }

type messageReader struct {
	b   []byte
	bad bool
}

func (r *messageReader) take(n uint64) []byte {
	if r.bad || uint64(len(r.b)) < n {
		r.bad = true
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

func (r *messageReader) byte() byte {
	if p := r.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *messageReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *messageReader) bytes() []byte { return r.take(r.uvarint()) }
