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
	messageAck                  // up: all up to number n was taken so far, and own messages for this process alone
	messageLeave                // up: the last client has left; as messageAck, and rest was not read and has no number
	messageOpened               // down: the session stands; n answers are under way to other clients
	messageBroadcast            // down: message n of the room's log; 0 if it is for this process alone
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

// messageVersion is the first byte of each message. One of another version is not read.
const messageVersion = 0x81

const sessionSize = 16

// onlyBit marks the kind of a message that no other process was given, and of a
// messageBroadcast that no client of the sender's was given.
const onlyBit = 0x80

// clusterMessage is what processes say to each other about one session: the clients that one
// of them has of a person whose socket at the Cat another has.
type clusterMessage struct {
	kind    int
	session string // sessionSize bytes
	n       uint64
	own     uint64
	frame   int  // the kind of a WebSocket message
	only    bool // nobody else is given it
	text    string
	data    []byte
	rest    []*outbound
}

var errMessage = errors.New("a message of another process that can't be read")

func (p *clusterMessage) encode() []byte {
	b := make([]byte, 0, sessionSize+len(p.text)+len(p.data)+36)
	b = append(b, messageVersion, byte(p.kind)) //nolint:gosec // one of a few
	b = append(b, p.session...)
	b = binary.AppendUvarint(b, p.n)
	b = binary.AppendUvarint(b, p.own)
	b = append(b, kindByte(p.frame, p.only))
	b = appendBytes(b, []byte(p.text))
	b = appendBytes(b, p.data)
	for _, m := range p.rest {
		b = appendBytes(append(b, kindByte(m.kind, m.only)), m.data)
	}
	return b
}

func kindByte(kind int, only bool) byte {
	b := byte(kind) //nolint:gosec // text or binary
	if only {
		b |= onlyBit
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
	if in.byte() != messageVersion {
		return nil, errMessage
	}
	p := &clusterMessage{kind: int(in.byte()), session: string(in.take(sessionSize)), n: in.uvarint(), own: in.uvarint()}
	frame := in.byte()
	p.frame, p.only = int(frame&^onlyBit), frame&onlyBit != 0
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
