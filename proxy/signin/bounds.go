package signin

import (
	"math"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Bounds hold what strangers can make Catflap and the providers do. Each address has a
// share, and there is one bound for all. What leads to a session, or is a provider's
// own logout, is given back: only what comes to nothing counts. They outlive a reload.
type Bounds struct {
	starts, callbacks, logouts *pace
}

// NewBounds makes bounds that nobody has used yet.
func NewBounds(now func() time.Time) *Bounds {
	return &Bounds{
		starts:    newPace(now, rate{600, 10}, rate{6000, 100}),
		callbacks: newPace(now, rate{60, 1}, rate{600, 10}),
		logouts:   newPace(now, rate{60, 1}, rate{600, 10}),
	}
}

// rate is how many may come at once, and how many each second in the long run.
type rate struct{ burst, perSecond float64 }

// rememberedAddresses bounds what is known of addresses. One that is forgotten has its
// whole share again, within the bound for all.
const rememberedAddresses = 16384

// pace is a bound for each address and one for all.
type pace struct {
	now       func() time.Time
	each, all rate

	mu    sync.Mutex
	known *lru.Cache[netip.Prefix, *bucket]
	total bucket
}

// bucket is how much of a rate is used up, as of a moment.
type bucket struct {
	used float64
	at   time.Time
}

func newPace(now func() time.Time, each, all rate) *pace {
	known, _ := lru.New[netip.Prefix, *bucket](rememberedAddresses) // fails for no size alone
	return &pace{now: now, each: each, all: all, known: known}
}

// excess says which bound is reached, and when to come again.
type excess struct {
	own  bool // the address's own
	wait int  // seconds
}

// take counts one of an address, or says why it has to wait.
func (p *pace) take(address netip.Addr) *excess {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, own := p.now(), p.bucket(address)
	if wait := own.wait(p.each, now); wait > 0 {
		return &excess{own: true, wait: wait}
	}
	if wait := p.total.wait(p.all, now); wait > 0 {
		return &excess{wait: wait}
	}
	own.used++
	p.total.used++
	return nil
}

// giveBack uncounts one that has come to something.
func (p *pace) giveBack(address netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range []*bucket{p.bucket(address), &p.total} {
		b.used = max(0, b.used-1)
	}
}

func (p *pace) bucket(address netip.Addr) *bucket {
	place := network(address)
	b, ok := p.known.Get(place)
	if !ok {
		b = &bucket{}
		p.known.Add(place, b)
	}
	return b
}

// wait drains the bucket, and returns the seconds until there is room for one more.
func (b *bucket) wait(r rate, now time.Time) int {
	b.used = max(0, b.used-r.perSecond*max(0, now.Sub(b.at).Seconds()))
	b.at = now
	if b.used+1 <= r.burst {
		return 0
	}
	return max(1, int(math.Ceil((b.used+1-r.burst)/r.perSecond)))
}

// network is what one subscriber has: an IPv4 address, or 64 bits of IPv6 (RFC 6177).
func network(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := 32
	if address.Is6() {
		bits = 64
	}
	p, _ := address.Prefix(bits) // an unknown address has the zero prefix
	return p
}
