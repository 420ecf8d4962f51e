package keyset_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/internal/keyset"
)

// remote is a set that is fetched from an issuer, and what it counts.
type remote struct {
	clock *authtest.Clock
	idp   *authtest.Issuer
	set   *keyset.Set
	close context.CancelFunc

	*authtest.Events
}

func openRemote(t *testing.T, change func(*keyset.Options), before func(*authtest.Issuer)) *remote {
	t.Helper()
	r := &remote{clock: authtest.NewClock(), Events: authtest.NewEvents()}
	r.idp = authtest.NewIssuer(t, r.clock)
	if before != nil {
		before(r.idp)
	}
	o := keyset.Options{
		Algorithms: asymmetric(), Now: r.clock.Now, HTTP: authtest.NewEnv(t, r.clock).HTTP, Observe: r.Observe,
	}
	if change != nil {
		change(&o)
	}
	var ctx context.Context
	ctx, r.close = context.WithCancel(context.Background())
	t.Cleanup(r.close)
	var err error
	if r.set, err = keyset.OpenURL(ctx, r.idp.JWKSURL(), o); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *remote) find(t *testing.T, kid string) error {
	t.Helper()
	_, err := r.set.Find(t.Context(), kid, "ES256")
	return err
}

func TestFirstFetchIsWaitedFor(t *testing.T) {
	release := make(chan struct{})
	r := openRemote(t, nil, func(i *authtest.Issuer) {
		document := i.JWKS()
		i.SetFault(func(w http.ResponseWriter, _ *http.Request) {
			<-release
			_, _ = w.Write(document)
		})
	})
	if err := r.set.Ready(); !errors.Is(err, keyset.ErrUnavailable) {
		t.Errorf("before the first fetch: %v, want ErrUnavailable", err)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := r.set.Find(ctx, "es256", "ES256"); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever leaves gets the error of leaving: %v", err)
	}
	got := make(chan error, 20)
	for range cap(got) {
		go func() { got <- r.find(t, "es256") }()
	}
	close(release)
	for range cap(got) {
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
	if n := r.idp.Fetches(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
	if err := r.set.Ready(); err != nil {
		t.Error(err)
	}
}

// TestFlood sends 1,000 unknown key ids: at most one fetch in each cool-down.
func TestFlood(t *testing.T) {
	r := openRemote(t, nil, nil)
	r.Wait(t, "keys_fetched", 1)
	flood := func(name string) {
		var wg sync.WaitGroup
		for worker := range 20 {
			wg.Go(func() {
				for n := range 50 {
					kid := fmt.Sprintf("%s-%d-%d", name, worker, n)
					if err := r.find(t, kid); !errors.Is(err, keyset.ErrUnknownKey) {
						t.Errorf("%s: %v", kid, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	flood("first")
	if n := r.idp.Fetches(); n != 2 {
		t.Errorf("%d fetches after 1,000 unknown ids, want 2 with the very first", n)
	}
	if err := r.find(t, "es256"); err != nil {
		t.Errorf("a known key meanwhile: %v", err)
	}
	r.clock.Advance(59 * time.Second)
	flood("second")
	if n := r.idp.Fetches(); n != 2 {
		t.Errorf("%d fetches within the cool-down, want 2", n)
	}
	r.clock.Advance(17 * time.Second) // 76 s: the cool-down and its quarter are over
	flood("third")
	if n := r.idp.Fetches(); n != 3 {
		t.Errorf("%d fetches after the cool-down, want 3", n)
	}
}

// TestSuspectedKeyID holds that one broken client does not spend every cool-down.
func TestSuspectedKeyID(t *testing.T) {
	r := openRemote(t, func(o *keyset.Options) { o.Lifetime = 24 * time.Hour }, nil)
	r.Wait(t, "keys_fetched", 1)
	for range 60 {
		if err := r.find(t, "broken"); !errors.Is(err, keyset.ErrUnknownKey) {
			t.Fatal(err)
		}
		r.clock.Advance(76 * time.Second)
	}
	// Doubling from a minute, 76 minutes have room for 6 or 7 looks.
	if n := r.idp.Fetches() - 1; n < 5 || n > 8 {
		t.Errorf("%d fetches for one broken id in 76 minutes", n)
	}
	k := newKey(t, "fresh", "ES256")
	r.idp.Publish(k)
	if err := r.find(t, "fresh"); err != nil {
		t.Errorf("a new key meanwhile: %v", err)
	}
}

// TestHangingFetchHoldsNobodyUp holds that only those wait who need what is fetched.
func TestHangingFetchHoldsNobodyUp(t *testing.T) {
	r := openRemote(t, func(o *keyset.Options) { o.Timeout = 500 * time.Millisecond }, nil)
	r.Wait(t, "keys_fetched", 1)
	r.idp.SetFault(r.idp.Hang())
	unknown := make(chan error, 1)
	go func() { unknown <- r.find(t, "zz") }()
	for r.idp.Fetches() < 2 {
		if err := r.find(t, "es256"); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.find(t, "es256"); err != nil {
		t.Errorf("a known key while a fetch hangs: %v", err)
	}
	select {
	case err := <-unknown:
		t.Errorf("the unknown key was decided before the fetch ended: %v", err)
	default:
	}
	if err := <-unknown; !errors.Is(err, keyset.ErrUnknownKey) {
		t.Errorf("after the time-out: %v", err)
	}
}

func TestPausesBetweenFailures(t *testing.T) {
	r := openRemote(t, nil, func(i *authtest.Issuer) { i.SetFault(issuer.Status(http.StatusBadGateway)) })
	r.Wait(t, "keys_fetch_failed", 1)
	for range 100 {
		if err := r.find(t, "es256"); !errors.Is(err, keyset.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if n := r.idp.Fetches(); n != 1 {
		t.Errorf("%d fetches without a pause", n)
	}
	if err := r.set.Ready(); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("ready says %v", err)
	}
	for n := 2; n < 6; n++ {
		r.clock.Advance(76 * time.Second)
		r.set.Poll(r.clock.Now())
		r.Wait(t, "keys_fetch_failed", n)
	}
	r.idp.SetFault(nil)
	r.clock.Advance(76 * time.Second)
	if err := r.find(t, "es256"); err != nil {
		t.Errorf("healed: %v", err)
	}
}

func TestStaleKeysEnd(t *testing.T) {
	r := openRemote(t, func(o *keyset.Options) { o.StaleIfError = time.Hour }, nil)
	r.Wait(t, "keys_fetched", 1)
	key, err := first(r.set.Find(t.Context(), "es256", "ES256"))
	if err != nil || !key.GoodUntil().Equal(r.clock.Now().Add(time.Hour)) {
		t.Errorf("good until %v, %v", key.GoodUntil(), err)
	}
	r.idp.SetFault(issuer.Status(http.StatusBadGateway))
	r.clock.Advance(59 * time.Minute)
	if err := r.find(t, "es256"); err != nil {
		t.Errorf("before the age limit: %v", err)
	}
	r.clock.Advance(time.Minute)
	if err := r.find(t, "es256"); !errors.Is(err, keyset.ErrUnavailable) {
		t.Errorf("at the age limit: %v, want ErrUnavailable", err)
	}
	if r.set.Ready() == nil {
		t.Error("ready with keys that are too old")
	}
	r.idp.SetFault(nil)
	r.clock.Advance(76 * time.Second)
	if err := r.find(t, "es256"); err != nil {
		t.Errorf("healed: %v", err)
	}
}

func TestRefresh(t *testing.T) {
	r := openRemote(t, nil, nil)
	r.Wait(t, "keys_fetched", 1)
	key, err := first(r.set.Find(t.Context(), "es256", "ES256"))
	if err != nil {
		t.Fatal(err)
	}
	generation := r.set.Generation()
	r.clock.Advance(10 * time.Minute)
	r.set.Poll(r.clock.Now())
	r.Wait(t, "keys_fetched", 2)
	again, err := first(r.set.Find(t.Context(), "es256", "ES256")) // waits for the end of the round, if it must
	if err != nil || again != key || !key.Current() || r.set.Generation() != generation {
		t.Errorf("the same keys again must change nothing: %v", err)
	}
	r.idp.Withdraw("es256")
	r.clock.Advance(10 * time.Minute)
	r.set.Poll(r.clock.Now())
	r.Wait(t, "keys_changed", 2)
	if key.Current() || r.set.Generation() == generation {
		t.Error("a withdrawn key must be gone")
	}
}

func TestRedirects(t *testing.T) {
	r := openRemote(t, nil, func(i *authtest.Issuer) { i.SetFault(issuer.RedirectTo(i.URL() + "/.well-known/openid-configuration")) })
	r.Wait(t, "keys_fetch_failed", 1)
	if err := r.set.Ready(); err == nil || !strings.Contains(err.Error(), "no array of keys") {
		t.Errorf("a redirect within the host is followed; ready says %v", err)
	}
	r = openRemote(t, nil, func(i *authtest.Issuer) { i.SetFault(issuer.RedirectTo("http://127.0.0.2:1/jwks")) })
	r.Wait(t, "keys_fetch_failed", 1)
	if err := r.set.Ready(); err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("ready says %v", err)
	}
	r = openRemote(t, nil, func(i *authtest.Issuer) { i.SetFault(issuer.RedirectTo(i.JWKSURL())) })
	r.Wait(t, "keys_fetch_failed", 1)
	if err := r.set.Ready(); err == nil || !strings.Contains(err.Error(), "too many redirects") {
		t.Errorf("ready says %v", err)
	}
}

// TestEndlessAnswer holds that no more is read than may be kept.
func TestEndlessAnswer(t *testing.T) {
	r := openRemote(t, nil, func(i *authtest.Issuer) {
		i.SetFault(func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(strings.Repeat(" ", 1<<16)))
			}
		})
	})
	r.Wait(t, "keys_fetch_failed", 1)
	if err := r.set.Ready(); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("ready says %v", err)
	}
}

func TestCloseReleasesThoseWhoWait(t *testing.T) {
	r := openRemote(t, nil, func(i *authtest.Issuer) { i.SetFault(i.Hang()) })
	got := make(chan error, 1)
	go func() { got <- r.find(t, "es256") }()
	for r.idp.Fetches() == 0 {
		r.set.Poll(r.clock.Now())
	}
	r.close()
	if err := <-got; !errors.Is(err, keyset.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}
