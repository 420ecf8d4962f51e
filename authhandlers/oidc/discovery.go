package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/internal/refresh"
)

// lifetime is the age at which the document is fetched again.
const lifetime = time.Hour

// errUnavailable is wrapped by the error for a provider that has never been reached.
var errUnavailable = errors.New("the provider's discovery document is not available")

// discovery keeps the provider's document, and fetches it again in the background. Who
// needs the first document waits for it; everybody else goes on with the last good one.
//
// go-oidc's own NewProvider asks once, reads without a bound, and fetches keys by
// itself; what is fetched here must be bounded, kept, and fetched again.
type discovery struct {
	issuer  string
	way     *detour
	client  *http.Client
	now     func() time.Time
	log     *slog.Logger
	observe func(string)
	ring    *ring

	current atomic.Pointer[metadata]
	loop    *refresh.Loop
}

// start fetches for the first time, and then until ctx ends.
func (d *discovery) start(ctx context.Context) {
	d.loop = refresh.New(refresh.Options{Lifetime: lifetime, Now: d.now, Fetch: d.fetch})
	d.loop.Start(ctx)
}

// poll starts a round in the background when one is due.
func (d *discovery) poll(now time.Time) { d.loop.Poll(now) }

// document returns the last good document. Without one it waits for the fetch under
// way, as long as ctx lasts.
func (d *discovery) document(ctx context.Context) (*metadata, error) {
	d.poll(d.now())
	if m := d.current.Load(); m != nil {
		return m, nil
	}
	if round := d.loop.UnderWay(); round != nil {
		err := d.loop.Wait(ctx, round)
		if errors.Is(err, refresh.ErrEnded) {
			return nil, fmt.Errorf("%w: %w", errUnavailable, err)
		}
		if err != nil {
			return nil, err
		}
	}
	if m := d.current.Load(); m != nil {
		return m, nil
	}
	return nil, d.unavailable()
}

func (d *discovery) unavailable() error {
	if reason := d.loop.Reason(); reason != nil {
		return fmt.Errorf("%w: %w", errUnavailable, reason)
	}
	return fmt.Errorf("%w yet", errUnavailable)
}

// fetch fetches the document, and keeps a good one. The keys are followed before, so that
// a handler that has the document has keys to wait for.
func (d *discovery) fetch(ctx context.Context) (ended func(), err error) {
	m, err := d.get(ctx)
	if err == nil && ctx.Err() == nil {
		err = d.ring.follow(ctx, m.keys)
	}
	old := d.current.Load()
	isNew := err == nil && ctx.Err() == nil && (old == nil || *old != *m)
	if isNew {
		d.current.Store(m)
	}
	return func() { d.tell(old != nil, isNew, err) }, err
}

func (d *discovery) get(ctx context.Context) (*metadata, error) {
	o, err := getObject(ctx, d.client, d.way.document(d.issuer), "")
	if err != nil {
		return nil, err
	}
	m, err := readMetadata(d.issuer, d.way, o)
	if err != nil {
		return nil, setup("%w", err)
	}
	return m, nil
}

// tell says what a round has brought.
func (d *discovery) tell(kept, isNew bool, err error) {
	switch {
	case errors.Is(err, context.Canceled):
		d.log.Debug("the fetch of the discovery document was ended", "issuer", d.issuer) // its owner has
		return
	case err != nil:
		d.observe("discovery_failed")
		d.log.Warn("the provider's discovery document can't be used", "issuer", d.issuer, "last_good_kept", kept, "error", err)
		return
	case isNew:
		d.observe("discovery_changed")
		d.log.Info("the provider's discovery document is new", "issuer", d.issuer)
	}
	d.observe("discovery_fetched")
}
