package anonymous

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/internal/pace"
)

// book knows who is a guest now, and who is no longer. It outlives a reload, and is of
// this process alone: of several Catflaps each has its own.
type book struct {
	now        func() time.Time
	pace       *pace.Pace // of new guests
	generation atomic.Uint64

	mu     sync.Mutex
	places map[string]*place // by subject
	shares map[netip.Addr]int
	ended  *lru.Cache[string, struct{}] // who have signed in
	gaveUp *lru.Cache[string, struct{}] // their places, and have not come back
}

// place is one guest's.
type place struct {
	network netip.Addr
	seen    time.Time
	end     time.Time // of the cookie
}

// rememberedEnds bounds how many guests are remembered who have signed in (a copy of
// their cookie must not come back), and how many who gave their place up.
const rememberedEnds = 16384

func newBook(now func() time.Time) *book {
	ended, _ := lru.New[string, struct{}](rememberedEnds) // fails for no size alone
	gaveUp, _ := lru.New[string, struct{}](rememberedEnds)
	return &book{
		now: now, places: map[string]*place{}, shares: map[netip.Addr]int{}, ended: ended, gaveUp: gaveUp,
		pace: pace.New(now, pace.Rate{Burst: 1}, pace.Rate{Burst: 1}),
	}
}

// hourly is a rate of n in an hour, all of which may come at once.
func hourly(n int) pace.Rate {
	return pace.Rate{Burst: float64(n), PerSecond: float64(n) / time.Hour.Seconds()}
}

// room says how many places there are.
type room struct {
	guests, perAddress int
	idle               time.Duration
}

// full says which bound is reached; the zero value that there is room.
type full struct {
	reached, own bool
	wait         time.Duration
}

// enter gives the guest a place, or lets them keep theirs. Where there is none, the
// guest who has asked for nothing for longest gives theirs up, if that was idle long.
// Who has signed in gets none; ended says so.
func (b *book) enter(subject string, from netip.Addr, end time.Time, r room) (gaveUp, ended bool, _ full) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended.Contains(subject) {
		return false, true, full{}
	}
	now := b.now()
	if p := b.places[subject]; p != nil {
		p.seen, p.end = now, end
		return false, false, full{}
	}
	network := pace.Network(from)
	out, f := b.findRoom(network, r, now)
	if f.reached {
		return false, false, f
	}
	for _, s := range out {
		b.leave(s)
		b.gaveUp.Add(s, struct{}{})
	}
	b.take(subject, &place{network: network, seen: now, end: end})
	return len(out) > 0, false, full{}
}

// take notes the guest's place. mu is held.
func (b *book) take(subject string, p *place) {
	b.gaveUp.Remove(subject)
	b.places[subject] = p
	b.shares[p.network]++
}

// stays reports whether somebody who is connected, and has asked for nothing, has a
// place. One who had theirs at another Catflap takes a free one.
func (b *book) stays(subject string, end time.Time, r room) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.places[subject] != nil {
		return true
	}
	if b.ended.Contains(subject) {
		return false
	}
	now := b.now()
	b.sweep(now)
	if b.gaveUp.Contains(subject) || len(b.places) >= r.guests {
		return false
	}
	b.take(subject, &place{seen: now, end: end})
	return true
}

// look says whether a new guest of the network would find a place.
func (b *book) look(from netip.Addr, r room) full {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, f := b.findRoom(pace.Network(from), r, b.now())
	return f
}

// findRoom returns who has to go so that one of the network can come. mu is held.
func (b *book) findRoom(network netip.Addr, r room, now time.Time) (out []string, _ full) {
	if len(b.places) >= r.guests || b.shares[network] >= r.perAddress {
		b.sweep(now)
	}
	inAll, ofNetwork := len(b.places), b.shares[network]
	if ofNetwork >= r.perAddress {
		subject, wait := b.longestIdle(r.idle, now, func(p *place) bool { return p.network == network })
		if wait > 0 {
			return nil, full{reached: true, own: true, wait: wait}
		}
		out, inAll = append(out, subject), inAll-1
	}
	if inAll >= r.guests {
		subject, wait := b.longestIdle(r.idle, now, func(*place) bool { return true })
		if wait > 0 {
			return nil, full{reached: true, wait: wait}
		}
		out = append(out, subject)
	}
	return out, full{}
}

// longestIdle returns the guest of those who fit who has asked for nothing for
// longest, or how long it takes until one may have to go. mu is held.
func (b *book) longestIdle(idle time.Duration, now time.Time, fits func(*place) bool) (subject string, wait time.Duration) {
	var longest *place
	for s, p := range b.places {
		if fits(p) && (longest == nil || p.seen.Before(longest.seen)) {
			subject, longest = s, p
		}
	}
	if longest == nil {
		return "", idle
	}
	return subject, max(0, idle-now.Sub(longest.seen))
}

// sweep frees the places of those whose cookies have ended. mu is held.
func (b *book) sweep(now time.Time) {
	for s, p := range b.places {
		if !now.Before(p.end) {
			b.leave(s)
		}
	}
}

// leave frees a place. mu is held.
func (b *book) leave(subject string) {
	p := b.places[subject]
	if p == nil {
		return
	}
	delete(b.places, subject)
	if b.shares[p.network]--; b.shares[p.network] <= 0 {
		delete(b.shares, p.network)
	}
	b.generation.Add(1)
}

// finish frees the guest's place for good. False: it was so before.
func (b *book) finish(subject string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended.Contains(subject) {
		return false
	}
	b.ended.Add(subject, struct{}{})
	b.leave(subject)
	b.generation.Add(1)
	return true
}

// finished reports a guest who has signed in.
func (b *book) finished(subject string) bool { return b.ended.Contains(subject) }

// count is how many places are taken.
func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep(b.now())
	return len(b.places)
}
