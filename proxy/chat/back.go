package chat

import (
	"context"
	"slices"
	"time"

	"github.com/catflap/catflap/internal/backoff"
	"github.com/catflap/catflap/internal/wait"
	"github.com/catflap/catflap/proxy/cat"
)

// dialWait bounds one try to reach a Cat that has gone.
const dialWait = 10 * time.Second

func undelivered() []byte {
	return cat.ErrorFrame("NotDelivered", "The Cat can't be reached. Your message was not delivered.")
}

func busy() []byte {
	return cat.ErrorFrame("Busy", "Too many people are talking to the Cat at the moment. Your message was not delivered.")
}

func interrupted() []byte {
	return cat.ErrorFrame("Interrupted", "The Cat went away before it had answered. It may have got your message; it is not sent again.")
}

func unanswered() []byte {
	return cat.ErrorFrame("Unanswered", "The Cat has not answered. If nothing comes, it has lost the answer; your message is not sent again.")
}

// goOn follows the end of the connection to the Cat, and reports whether there is
// another.
func (l *wire) goOn(how Closing) bool {
	l.person.rest()
	now := time.Now()
	l.mu.Lock()
	ending := l.closing != nil
	lost := l.turns.lost(now)
	renewed := l.replaced(lost, how, now)
	var tell []message
	if !renewed || ending {
		tell = append(l.doubt.tellAll(), messagesOf(unaskedOf(lost))...)
	}
	left := slices.Clone(l.doubt.owed)
	if !ending {
		l.peer, l.isCut = nil, false
	}
	l.mu.Unlock()
	if !ending {
		l.hub.counts.open.Add(-1)
		l.hub.counts.lost.Add(1)
		l.tell(EventCatLost, how)
	}
	for _, m := range tell {
		l.room.failed(m, interrupted())
	}
	if ending {
		l.person.owe(left)
		return false
	}
	l.underWayChanged()
	if steady := now.Sub(l.up) >= l.hub.times.steady; steady || l.lost.IsZero() {
		l.lost, l.tries = now, 0
	} else if renewed {
		l.tries = 0
	}
	for {
		if !l.isHolding() && l.room.abandoned(l) {
			l.end(closeUnused)
			return false
		}
		left := l.hub.settings.Load().ReconnectFor - time.Since(l.lost)
		if left <= 0 {
			l.loseHope()
			return false
		}
		if !l.pause(min(l.backoff(), left)) {
			return false
		}
		if l.again(left) {
			return true
		}
	}
}

// loseHope ends the wire of a Cat that stays away. Those whose messages wait are told
// of it before they are closed.
func (l *wire) loseHope() {
	if l.isHolding() {
		l.tellKept(false)
		_ = pauseFor(l.stop, againSoon) // for the errors to reach them before the close does
	}
	l.end(closeCatGone)
}

// backoff is how long the next try waits: never so short that the Cat would not
// hear it, and not as long as others' who wait for the same Cat.
func (l *wire) backoff() time.Duration {
	pause := backoff.Doubled(settle, l.hub.times.most, l.tries)
	l.tries++
	return pause + backoff.Part(pause, 2)
}

// pause waits, and for what the Cat needs after the last socket. False means that
// the wire has been ended.
func (l *wire) pause(d time.Duration) bool {
	return wait.For(l.stop, max(d, l.person.unsettled())) == nil
}

// again tries to reach the Cat, and sends what was kept if it does.
func (l *wire) again(left time.Duration) bool {
	ctx, cancel := context.WithTimeout(l.stop, max(min(left, dialWait), time.Second))
	defer cancel()
	conn, err := l.redial(ctx)
	if err != nil {
		l.person.rest() // the Cat may have seen it come and go
		l.refused(err)
		return false
	}
	l.sending.Lock()
	defer l.sending.Unlock()
	pr := l.connect(conn)
	l.mu.Lock()
	if l.closing != nil {
		l.mu.Unlock()
		hangUp(pr.in, pr.out)
		pr.stop()
		return false
	}
	l.peer = pr
	var kept []message
	switch waits := l.reopened(pr); {
	case waits:
	case l.hub.gateOf(l.person.id) == nil:
		kept = l.kept.take(l.person)
	default:
		l.askPlace()
	}
	for _, m := range kept {
		l.turns.begin(m, time.Now())
		l.watch(pr)
	}
	l.mu.Unlock()
	l.person.room.lowered() // before anything is said over it
	l.hub.counts.lost.Add(-1)
	l.hub.counts.open.Add(1)
	l.tell(EventCatBack, Closing{})
	l.underWayChanged()
	for _, m := range kept {
		l.write(pr, m)
	}
	return true
}
