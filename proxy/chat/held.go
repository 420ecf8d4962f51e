package chat

import "github.com/catflap/catflap/internal/wsconn"

const (
	// clientPart is the part of either bound, in quarters, that what clients send may
	// fill. The rest is for what the Cat says.
	clientPart = 3
	// assured is what a person may hold also when the others hold all the rest, so that
	// nobody's ordinary answers are lost over somebody else.
	assured = 64 << 10
)

// hold counts bytes of a person's messages that are in memory, by the side that they come
// from. With a reason they are too many, of this person or of all, and are not counted.
func (p *person) hold(n int64, from int) *Closing {
	set := p.hub.settings.Load()
	mine := p.held.Add(n)
	if !fits(mine, set.MaxHeldPerUser, from) {
		p.held.Add(-n) // somebody who has too much does not touch what is for all
		return &closeOwnFull
	}
	if all := p.hub.held.Add(n); !fits(all, set.MaxHeld, from) && mine > assured {
		p.drop(n)
		return &closeFull
	}
	return nil
}

// read reads a message that is taken from a side into memory. What it holds is counted;
// the caller drops it, also with an error.
func (p *person) read(c *wsconn.Conn, from, kind int, spare int) (data []byte, held int64, err error) {
	return c.ReadMessage(kind, int64(spare), func(n int64) error {
		if c := p.hold(n, from); c != nil {
			return &EndedError{*c}
		}
		return nil
	})
}

// fits reports whether so much may be held; a bound of 0 is none.
func fits(held, most int64, from int) bool {
	if from == toCat {
		most = most / 4 * clientPart
	}
	return most <= 0 || held <= most
}

// mustHold counts what is bounded otherwise.
func (p *person) mustHold(n int64) {
	p.held.Add(n)
	p.hub.held.Add(n)
}

func (p *person) drop(n int64) {
	p.held.Add(-n)
	p.hub.held.Add(-n)
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
