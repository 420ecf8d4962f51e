package chat

import (
	"fmt"
	"slices"
	"time"

	"github.com/catflap/catflap/proxy/cat"
)

// absence is what a room keeps while nobody is there: the upstream lingers, and what
// the Cat says is kept for whoever comes back in time.
type absence struct {
	alone   time.Time // when the last client left
	since   time.Time // when the last client left, or something was missed after that
	timer   *time.Timer
	missed  []*outbound
	bytes   int64
	dropped int
	counted bool // among those who linger
}

// miss keeps a message that nobody is there to hear. The words of an answer are
// worth nothing once the whole of it has come. The room is locked.
func (r *room) miss(m *outbound) {
	a := &r.absence
	a.since = time.Now()
	if m.what == cat.FrameChat {
		a.missed = slices.DeleteFunc(a.missed, func(before *outbound) bool {
			word := before.what == cat.FrameToken
			if word {
				r.forgo(before)
			}
			return word
		})
	}
	if m.keep(r.person) != nil {
		r.lose()
		return
	}
	a.missed = append(a.missed, m)
	a.bytes += m.size()
	for bytes, count := r.hub.settings.Load().queue(); len(a.missed) > 1 && (a.bytes > bytes || len(a.missed) > count); {
		r.forgo(a.missed[0])
		a.missed[0] = nil
		a.missed = a.missed[1:]
		r.lose()
	}
}

// forgo gives a kept message's memory back. The room is locked.
func (r *room) forgo(m *outbound) {
	r.absence.bytes -= m.size()
	m.letGo(r.person)
}

// lose notes that a message is lost, which whoever comes back is told.
func (r *room) lose() {
	r.absence.dropped++
	r.hub.o.Observe(Event{Kind: EventMissed, User: r.newest.user})
}

// take hands out what was missed.
func (a *absence) take(p *person) []*outbound {
	list := a.missed
	for _, m := range list {
		m.letGo(p)
	}
	if a.dropped > 0 {
		list = append([]*outbound{ours(cat.NotificationFrame(fmt.Sprintf(
			"You were away for too much: %d earlier messages were dropped.", a.dropped)))}, list...)
	}
	a.missed, a.bytes, a.dropped = nil, 0, 0
	return list
}

// left follows the leaving of a client. The room is locked.
func (r *room) left() {
	if len(r.subscribers) == 0 {
		r.absence.alone = time.Now()
		r.absence.since = r.absence.alone
	}
	r.check()
}

// check closes the upstream when nobody has been there for long enough and no answer
// is in progress, and sees to it that it is looked at again. The room is locked.
func (r *room) check() {
	a := &r.absence
	empty := len(r.subscribers) == 0
	if lingers := empty && r.upstream != nil; lingers != a.counted {
		a.counted = lingers
		r.hub.counts.lingering.Add(map[bool]int64{true: 1, false: -1}[lingers])
	}
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	if !empty {
		return
	}
	if wait := r.wait(time.Now()); wait > 0 {
		a.timer = time.AfterFunc(wait, r.look)
		return
	}
	a.take(r.person)
	if r.upstream != nil {
		r.upstream.end(closeUnused)
		r.upstream = nil
		r.check()
	}
	r.person.forgetSoon()
}

// wait is how long the room is still kept as it is. The room is locked.
func (r *room) wait(now time.Time) time.Duration {
	a := &r.absence
	switch {
	case r.hub.stopping.Load(), r.upstream == nil && len(a.missed) == 0:
		return 0
	case now.Sub(a.alone) >= r.hub.times.turn: // whatever is said still
		return 0
	}
	if wait := a.since.Add(r.hub.settings.Load().Linger).Sub(now); wait > 0 {
		return wait
	}
	if r.upstream != nil && r.upstream.busy() {
		return a.alone.Add(r.hub.times.turn).Sub(now)
	}
	return 0
}

func (r *room) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check()
}

// answered looks whether the upstream was kept for the answer alone.
func (r *room) answered(m inbound) {
	if m.ref != 0 {
		r.answeredRemote(m)
	}
	r.look()
}

// stop closes the upstream if nobody is there: the hub is stopping.
func (r *room) stop() { r.look() }

// abort cuts the upstream.
func (r *room) abort() {
	for _, x := range r.person.upstreams() {
		x.abort()
	}
}

func (r *room) isEmpty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.upstream == nil && len(r.absence.missed) == 0 && len(r.subscribers) == 0
}

// abandoned reports whether nobody is there, and lets go of the upstream then.
func (r *room) abandoned(l upstream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upstream == l && len(r.subscribers) > 0 {
		return false
	}
	r.drop(l)
	return true
}

// hasMissed reports whether there is something to tell to whoever comes back.
func (r *room) hasMissed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.absence.missed) > 0
}

// handOver gives what is kept, if nobody is there, to whoever has the Cat now. If that is
// this process, whoever comes back has linger from now on.
func (r *room) handOver(o *ownerUpstream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upstream != o || len(r.subscribers) > 0 {
		return
	}
	if !o.isFar() {
		r.absence.since = time.Now()
		r.check()
		return
	}
	list := r.absence.take(r.person)
	if !o.away(list) { // that way has ended already
		for _, m := range list {
			r.miss(m)
		}
	}
}

// redeliver tells what was given to a process that has died, if nobody else was told.
func (r *room) redeliver(rest []*outbound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range rest {
		if m.only || len(r.subscribers) == 0 {
			r.toAll(m)
		}
	}
	r.check()
}

// gone ends everybody, since the upstream has ended for good.
func (r *room) gone(l upstream, c Closing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upstream == l {
		for _, w := range r.subscribers {
			w.end(c)
		}
	}
	r.drop(l)
}

// drop lets go of an upstream. The room is locked.
func (r *room) drop(l upstream) {
	if r.upstream == l {
		r.upstream = nil
		r.check()
	}
}
