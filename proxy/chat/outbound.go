package chat

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/cat"
)

// outbound is a message on its way to clients.
type outbound struct {
	kind  int
	data  []byte
	what  string          // the type of the Cat's frame
	frame []byte          // where several clients get it, so that it is encoded once
	only  bool            // no other process was given it
	via   *remoteUpstream // the way it came by, if it has a number at another process
	n     uint64          // that number

	keepers atomic.Int32 // how many keep it in memory
	held    int64        // what it was counted with when it was read
}

// ours is a text of our own.
func ours(text []byte) *outbound {
	return &outbound{kind: websocket.TextMessage, data: text, only: true}
}

// ofCat is a message of the Cat's.
func ofCat(kind int, data []byte) *outbound {
	m := &outbound{kind: kind, data: data}
	if kind == websocket.TextMessage {
		m.what = cat.FrameType(data)
	}
	return m
}

func (m *outbound) size() int64 { return int64(len(m.data)) }

// prepare encodes the message for several clients. Nobody has it yet.
func (m *outbound) prepare() {
	if m.frame == nil {
		m.frame = wsconn.Encode(m.kind, m.data)
		m.data = m.frame[len(m.frame)-len(m.data):] // one copy is enough
	}
}

// write writes the message, which must be taken within d.
func (m *outbound) write(c *wsconn.Conn, d time.Duration) (late bool, err error) {
	if m.frame != nil {
		return c.WriteFrame(m.frame, d)
	}
	return c.WriteMessage(m.kind, m.data, d)
}

// offer is write as far as that needs no waiting; see [wsconn.Conn.OfferMessage]. The
// message must be small.
func (m *outbound) offer(c *wsconn.Conn) (left []byte, begun bool, err error) {
	if m.frame != nil {
		return c.OfferFrame(m.frame)
	}
	return c.OfferMessage(m.kind, m.data)
}

// keep has the message counted once, however many of a person's clients keep it. With a
// reason it must not be kept. Each keep, mustKeep or adopt needs a letGo.
func (m *outbound) keep(p *person) *Closing {
	if m.keepers.Add(1) > 1 {
		return nil
	}
	c := p.hold(m.weight(), toClient)
	if c != nil {
		m.keepers.Add(-1)
	}
	return c
}

// mustKeep is keep for what is bounded otherwise.
func (m *outbound) mustKeep(p *person) {
	if m.keepers.Add(1) == 1 {
		p.mustHold(m.weight())
	}
}

// adopt makes the message's what its reader has had counted.
func (m *outbound) adopt(held int64) {
	m.held = held
	m.keepers.Add(1)
}

func (m *outbound) letGo(p *person) {
	if m.keepers.Add(-1) == 0 {
		p.drop(m.weight())
	}
}

// weight is how much memory the message is counted with, which never changes while
// somebody keeps it.
func (m *outbound) weight() int64 { return max(m.held, m.size()) }

func (m *outbound) ref() uint64 { return binary.BigEndian.Uint64(m.data) }
