package keyset

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/internal/flight"
)

const (
	// maxSingleKeys bounds the keys that are published one by one and kept.
	maxSingleKeys = 32
	// maxSingleBytes bounds one of them.
	maxSingleBytes = 16 << 10
	// fetchesInCooldown bounds the fetches of keys that tokens name, in one cool-down.
	fetchesInCooldown = 8
	// watch is how often, at least, the clock is looked at while nobody asks.
	watch = time.Minute
	// KidPlace is the place of the key's id in the address of OpenPEMs.
	KidPlace = "{kid}"
)

// singleID is the form of an id that may stand in an address: the UUIDs of AWS, and
// names that lead nowhere else.
var singleID = regexp.MustCompile(`\A[0-9A-Za-z][0-9A-Za-z_-]{0,63}\z`)

// perID fetches each key by itself, when a token names it. A request that needs a key waits
// for its fetch; how many fetches strangers can cause is bounded.
type perID struct {
	set     *Set
	address string
	host    string
	client  *http.Client
	o       Options
	life    context.Context //nolint:containedctx // fetches end with the set, not with who asked first
	kick    chan struct{}
	due     atomic.Int64 // Unix nanoseconds at which the oldest key is to be fetched again

	mu      sync.Mutex // before the flights' own
	known   map[string]*single
	flights flight.Group[string, struct{}]
	until   time.Time // the end of the present cool-down
	spent   int       // fetches in it
	unknown *lru.Cache[string, time.Time]
}

type single struct {
	key     *Key
	fetched time.Time // the last time that the issuer had it
	asked   time.Time
}

// errNoSuchKey is the issuer's answer about a key that it does not have.
var errNoSuchKey = errors.New("the issuer has no key of this kid")

// CheckPEMs reports an address at which no keys are published one by one.
func CheckPEMs(address string) error {
	before, after, ok := strings.Cut(address, "/"+KidPlace)
	if !ok || after != "" || strings.ContainsAny(before, "{}?") {
		return errors.New("the place of the key's id is not its end")
	}
	_, err := CheckURL(before + "/kid")
	return err
}

// OpenPEMs returns the set of the keys that an issuer publishes one by one: each is a
// PEM document at an address that ends with its kid. Nothing is fetched until a token
// names a key, and the fetching ends with ctx.
func OpenPEMs(ctx context.Context, address string, o Options) (*Set, error) {
	o.complete()
	if err := CheckPEMs(address); err != nil {
		return nil, err
	}
	if o.HTTP == nil {
		return nil, errors.New("no HTTP client")
	}
	u, err := url.Parse(strings.TrimSuffix(address, KidPlace))
	if err != nil {
		return nil, err
	}
	unknown, err := lru.New[string, time.Time](rememberedIDs)
	if err != nil {
		return nil, err
	}
	s := &Set{allowed: o.Algorithms, now: o.Now, lazy: true}
	p := &perID{
		set: s, address: u.String(), host: u.Host, client: SameHost(o.HTTP), o: o, life: ctx, kick: make(chan struct{}, 1),
		known: map[string]*single{}, unknown: unknown,
	}
	p.due.Store(forever)
	s.source = p
	s.adopt(&Document{}, forever)
	go p.run(ctx)
	return s, nil
}

func (p *perID) ready() error { return nil }

func (p *perID) poll(now time.Time) {
	if now.UnixNano() >= p.due.Load() {
		select {
		case p.kick <- struct{}{}:
		default:
		}
	}
}

// find waits for the key's fetch, if one is under way or allowed.
func (p *perID) find(ctx context.Context, kid, algorithm string) ([]*Key, error) {
	f := p.begin(kid)
	if f == nil {
		return nil, unpublished("no key of this kid is known, and the issuer is not asked for it now")
	}
	select {
	case <-f.Done():
	case <-p.life.Done():
		return nil, fmt.Errorf("%w: shutting down", ErrUnavailable)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch {
	case errors.Is(f.Err(), errNoSuchKey):
		return nil, unpublished("the issuer publishes no key of this kid")
	case f.Err() != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, f.Err())
	}
	k, _, err := p.set.look(kid, algorithm)
	return k, err
}

// want has a key fetched in the background, and reports whether it is being fetched.
func (p *perID) want(kid string) bool { return p.begin(kid) != nil }

// begin returns the fetch of a key that is under way, or a new one if the form of the
// id, its own record and the cool-down allow it, or nil.
func (p *perID) begin(kid string) *flight.Flight[struct{}] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.flights.UnderWay(kid); f != nil {
		return f
	}
	now := p.o.Now()
	if until, ok := p.unknown.Get(kid); ok && now.Before(until) || !singleID.MatchString(kid) {
		return nil
	}
	if !now.Before(p.until) {
		p.until, p.spent = now.Add(p.o.Cooldown), 0
	}
	if p.spent >= fetchesInCooldown {
		return nil
	}
	p.spent++
	kid = strings.Clone(kid)    // not the whole token with it
	f, _ := p.flights.Join(kid) // nobody else begins one: p.mu is held
	go func() {
		k, err := p.fetch(p.life, kid)
		p.finish(kid, k, err)
		p.flights.Land(kid, f, struct{}{}, err)
	}()
	return f
}

// finish takes what a fetch brought.
func (p *perID) finish(kid string, k *Key, err error) {
	now := p.o.Now()
	switch {
	case err == nil:
		p.o.Observe("keys_fetched")
	case !errors.Is(err, context.Canceled):
		p.o.Observe("keys_fetch_failed")
		p.o.Log.Warn("a key can't be fetched", "keys_from", p.host, "error", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.known[kid]
	switch {
	case err == nil:
		p.known[kid] = &single{key: k, fetched: now, asked: now}
	case before == nil && errors.Is(err, errNoSuchKey):
		p.unknown.Add(kid, now.Add(p.o.Cooldown))
		p.set.generation.Add(1) // somebody may wait to be judged
		return
	case before == nil:
		return
	case errors.Is(err, errNoSuchKey), now.Sub(before.fetched) >= p.o.StaleIfError:
		delete(p.known, kid)
	default:
		before.asked = now
	}
	p.publish()
}

// publish makes the known keys the present ones. It needs p.mu.
func (p *perID) publish() {
	for len(p.known) > maxSingleKeys {
		oldest := ""
		for kid, s := range p.known {
			if oldest == "" || s.fetched.Before(p.known[oldest].fetched) {
				oldest = kid
			}
		}
		delete(p.known, oldest)
	}
	d, due := &Document{}, int64(forever)
	for _, s := range p.known {
		d.Keys = append(d.Keys, s.key)
		due = min(due, s.asked.Add(p.o.Lifetime).UnixNano())
	}
	p.due.Store(due)
	if p.set.adopt(d, forever) {
		p.o.Observe("keys_changed")
		p.o.Log.Info("the keys have changed", "keys_from", p.host, "keys", len(d.Keys))
	}
}

// run fetches the keys again that have reached their age.
func (p *perID) run(ctx context.Context) {
	look := time.NewTicker(watch)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		case <-p.kick:
		}
		for _, kid := range p.old() {
			k, err := p.fetch(ctx, kid)
			if ctx.Err() != nil {
				return
			}
			p.finish(kid, k, err)
		}
	}
}

func (p *perID) old() (kids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	for kid, s := range p.known {
		if !now.Before(s.asked.Add(p.o.Lifetime)) {
			kids = append(kids, kid)
		}
	}
	slices.Sort(kids)
	return kids
}
