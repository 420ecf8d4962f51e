// Package pace bounds how often strangers may do something.
//
// The rule it guards: no bound is shared without a share for each address, so that
// one network can't use up what is there for all. What has no address, or an owner of
// its own, has a [Bucket], which counts in the same way.
//
// It starts no goroutine. A Pace has one lock, held to count; a Bucket has none.
package pace

import (
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// rememberedAddresses bounds what is known of addresses. One that is forgotten has its
// whole share again, within the bound for all.
const rememberedAddresses = 16384

// Pace is a bound for each address and one for all. It is used by many goroutines at once.
type Pace struct{ keyed *Keyed[netip.Addr] }

// Keyed is a bound for each of something else than addresses, and one for all.
type Keyed[K comparable] struct {
	now func() time.Time

	mu        sync.Mutex
	each, all Rate
	known     *lru.Cache[K, *Bucket]
	total     Bucket
}

// New makes a pace that nobody has used yet.
func New(now func() time.Time, each, all Rate) *Pace {
	return &Pace{NewKeyed[netip.Addr](now, each, all)}
}

// NewKeyed makes one for keys of another kind.
func NewKeyed[K comparable](now func() time.Time, each, all Rate) *Keyed[K] {
	known, _ := lru.New[K, *Bucket](rememberedAddresses) // fails for no size alone
	return &Keyed[K]{now: now, each: each, all: all, known: known}
}

// Set changes the rates, and leaves what is used up.
func (p *Pace) Set(each, all Rate) { p.keyed.Set(each, all) }

// Take counts one of an address, or says why it has to wait.
func (p *Pace) Take(address netip.Addr) *Excess { return p.keyed.Take(Network(address)) }

// GiveBack uncounts one that has come to something.
func (p *Pace) GiveBack(address netip.Addr) { p.keyed.GiveBack(Network(address)) }

// Set changes the rates, and leaves what is used up.
func (p *Keyed[K]) Set(each, all Rate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.each, p.all = each, all
}

// Excess says which bound is reached, and when to come again.
type Excess struct {
	Own  bool // the address's, or the key's own
	Wait int  // seconds
}

// Take counts one of a key, or says why it has to wait.
func (p *Keyed[K]) Take(of K) *Excess {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, own := p.now(), p.bucket(of)
	if wait := own.wait(p.each, now); wait > 0 {
		return &Excess{Own: true, Wait: wait}
	}
	if wait := p.total.wait(p.all, now); wait > 0 {
		return &Excess{Wait: wait}
	}
	own.used++
	p.total.used++
	return nil
}

// GiveBack uncounts one that has come to something.
func (p *Keyed[K]) GiveBack(of K) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range []*Bucket{p.bucket(of), &p.total} {
		b.used = max(0, b.used-1)
	}
}

func (p *Keyed[K]) bucket(of K) *Bucket {
	b, ok := p.known.Get(of)
	if !ok {
		b = &Bucket{}
		p.known.Add(of, b)
	}
	return b
}
