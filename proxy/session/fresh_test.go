package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

// provider is one whose refresh tokens are good once: a spent one ends the grant.
type provider struct {
	clock *clock
	mu    sync.Mutex
	valid string
	asked int
	fail  error
	inAsk func(context.Context)
}

func newProvider(c *clock) *provider { return &provider{clock: c, valid: "planted-refresh-0"} }

func (p *provider) refresh(ctx context.Context, old *authhandlers.Login) (*authhandlers.Login, error) {
	if p.inAsk != nil {
		p.inAsk(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.fail != nil {
		return nil, p.fail
	}
	if old.RefreshToken != p.valid {
		p.valid = ""
		return nil, authhandlers.Reject("login_over", "sign in again", "a spent refresh token")
	}
	p.valid = fmt.Sprintf("planted-refresh-%d", p.asked)
	l := *old
	l.RefreshToken, l.IssuedAt, l.Until = p.valid, p.clock.Now(), p.clock.Now().Add(5*time.Minute)
	l.Person.Groups = []string{fmt.Sprintf("g%d", p.asked)}
	return &l, nil
}

func TestFreshAsksInTime(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	p := newProvider(f.clock)
	s := f.start(t, b, login("alice", f.clock))
	f.clock.Advance(4*time.Minute - time.Second)
	if got, err := f.Fresh(t.Context(), s, p.refresh); err != nil || got != s || p.asked != 0 {
		t.Errorf("%v, asked %d times", err, p.asked)
	}
	f.clock.Advance(time.Second)
	got, err := f.Fresh(t.Context(), s, p.refresh)
	must(t, err)
	if p.asked != 1 || got.Handle != s.Handle || got.Login.Person.Groups[0] != "g1" || !got.Login.Until.After(s.Login.Until) {
		t.Errorf("asked %d times: %+v", p.asked, got)
	}
	if stored := f.finds(t, b); stored.Login.RefreshToken != "planted-refresh-1" || stored.Login.Person.Groups[0] != "g1" {
		t.Errorf("%+v", stored)
	}
	// A copy of before takes what has been got since.
	if again, err := f.Fresh(t.Context(), s, p.refresh); err != nil || p.asked != 1 || again.Login.RefreshToken != "planted-refresh-1" {
		t.Errorf("%v, asked %d times", err, p.asked)
	}
	// Tokens of a minute are renewed in their last quarter.
	l := login("bob", f.clock)
	l.Until = f.clock.Now().Add(time.Minute)
	p.valid = l.RefreshToken
	s = f.start(t, newBrowser(), l)
	f.clock.Advance(44 * time.Second)
	_, err = f.Fresh(t.Context(), s, p.refresh)
	must(t, err)
	if p.asked != 1 {
		t.Error("asked too early")
	}
	f.clock.Advance(time.Second)
	_, err = f.Fresh(t.Context(), s, p.refresh)
	must(t, err)
	if p.asked != 2 {
		t.Error("not asked")
	}
}

func TestALoginWithoutRefreshTokenLivesOn(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	p := newProvider(f.clock)
	f.start(t, b, lasting("alice", f.clock))
	f.clock.Advance(idle / 2)
	if _, err := f.Fresh(t.Context(), f.finds(t, b), p.refresh); err != nil || p.asked != 0 {
		t.Error(err)
	}
}

func TestWhatTheProviderLeavesOutStays(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	s := f.start(t, b, login("alice", f.clock))
	f.clock.Advance(5 * time.Minute)
	got, err := f.Fresh(t.Context(), s, func(_ context.Context, l *authhandlers.Login) (*authhandlers.Login, error) {
		return &authhandlers.Login{Person: authhandlers.AuthUserInfo{Issuer: issuer, Subject: "alice"}, Until: f.clock.Now().Add(time.Hour)}, nil
	})
	must(t, err)
	if got.Login.RefreshToken != s.Login.RefreshToken || got.Login.IDToken != s.Login.IDToken || got.Login.Person.SessionID != "sid-alice" {
		t.Errorf("%+v", got.Login)
	}
}

// TestOneRefresh is 50 requests at two Catflaps at once: a second use of the refresh
// token would kill the grant.
func TestOneRefresh(t *testing.T) {
	memory := func(c *clock) (session.Store, session.Store) {
		s := session.NewMemory(c.Now, 100)
		return s, s
	}
	t.Run("memory", func(t *testing.T) { testOneRefresh(t, memory) })
	t.Run("redis", func(t *testing.T) {
		server := startRedis(t)
		testOneRefresh(t, func(*clock) (session.Store, session.Store) { return server.store(t, ""), server.store(t, "") })
	})
}

func testOneRefresh(t *testing.T, stores func(*clock) (session.Store, session.Store)) {
	c := newClock()
	storeA, storeB := stores(c)
	flaps := []*flap{newFlap(t, c, storeA), newFlap(t, c, storeB)}
	b, p := newBrowser(), newProvider(c)
	flaps[0].start(t, b, login("alice", c))
	for round := 1; round <= 3; round++ {
		c.Advance(4*time.Minute + 30*time.Second)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				f := flaps[i%2]
				s, err := f.Find(t.Context(), b.request())
				if err != nil {
					t.Error(err)
					return
				}
				s, err = f.Fresh(t.Context(), s, p.refresh)
				if err != nil || s.Login.RefreshToken != fmt.Sprintf("planted-refresh-%d", round) {
					t.Errorf("%v, %+v", err, s)
				}
			})
		}
		wg.Wait()
		if p.asked != round {
			t.Fatalf("round %d: asked %d times", round, p.asked)
		}
	}
}

func TestTheRotatedTokenIsStoredBeforeItIsUsed(t *testing.T) {
	c := newClock()
	store := &broken{Store: session.NewMemory(c.Now, 100)}
	f, b := newFlap(t, c, store), newBrowser()
	p := newProvider(c)
	s := f.start(t, b, login("alice", c))
	c.Advance(4 * time.Minute)
	var tries atomic.Int64
	store.on("replace", func() error {
		if tries.Add(1) < 4 {
			return errors.New("the store hiccups")
		}
		return nil
	})
	got, err := f.Fresh(t.Context(), s, p.refresh)
	must(t, err)
	if p.asked != 1 || tries.Load() != 4 || f.finds(t, b).Login.RefreshToken != got.Login.RefreshToken {
		t.Errorf("asked %d times, tried %d times", p.asked, tries.Load())
	}
}

func TestTokensThatCannotBeStoredAreNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		store := &broken{Store: session.NewMemory(c.Now, 100)}
		f, b := newFlap(t, c, store), newBrowser()
		p := newProvider(c)
		s := f.start(t, b, login("alice", c))
		c.Advance(4 * time.Minute)
		store.on("replace", func() error { return errors.New("the store is down") })
		got, err := f.Fresh(t.Context(), s, p.refresh)
		must(t, err)
		if got.Login.RefreshToken != "planted-refresh-0" || got.Login.Person.Groups[0] != "g" {
			t.Errorf("what is not stored is used: %+v", got.Login)
		}
		if f.saw(session.EventRefreshFailed) != 1 || f.saw(session.EventRefreshed) != 0 {
			t.Errorf("%v", f.events)
		}
	})
}

func TestARefusedRefreshEndsTheSession(t *testing.T) {
	server, c := startRedis(t), newClock()
	here, there := newFlap(t, c, server.store(t, "")), newFlap(t, c, server.store(t, ""))
	b, p := newBrowser(), newProvider(c)
	s := here.start(t, b, login("alice", c))
	c.Advance(4 * time.Minute)
	p.fail = fmt.Errorf("refreshing: %w", authhandlers.Reject("login_over", "sign in again", "disabled"))
	_, err := here.Fresh(t.Context(), s, p.refresh)
	want(t, err, session.ErrNoSession)
	if r, ok := errors.AsType[*authhandlers.Rejection](err); !ok || r.Code != "login_over" {
		t.Errorf("%v holds no rejection", err)
	}
	here.findsNone(t, b)
	there.findsNone(t, b)
	if !here.toldOf(ofSession(s)) || here.saw(session.EventRefreshRefused) != 1 {
		t.Errorf("%+v, %v", here.revoked, here.events)
	}
	eventually(t, "the other Catflap hears", func() bool { return there.toldOf(ofSession(s)) })
	_, err = there.Fresh(t.Context(), s, p.refresh)
	want(t, err, session.ErrNoSession)
	if p.asked != 1 {
		t.Errorf("asked %d times", p.asked)
	}
}

func TestAnotherPersonsRefreshEndsTheSession(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	s := f.start(t, b, login("alice", f.clock))
	f.clock.Advance(4 * time.Minute)
	_, err := f.Fresh(t.Context(), s, func(context.Context, *authhandlers.Login) (*authhandlers.Login, error) {
		return login("bob", f.clock), nil
	})
	want(t, err, session.ErrNoSession)
	f.findsNone(t, b)
}

func TestAnOutage(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	p := newProvider(f.clock)
	f.start(t, b, login("alice", f.clock))
	p.fail = errors.New("the provider is down")
	f.clock.Advance(4 * time.Minute)
	for range 59 { // to the end of the tokens it goes on, and hardly asks
		for range 10 {
			got, err := f.Fresh(t.Context(), f.finds(t, b), p.refresh)
			must(t, err)
			if got.Login.RefreshToken != "planted-refresh-0" {
				t.Fatal("other tokens")
			}
		}
		f.clock.Advance(time.Second)
	}
	if p.asked != 4 { // at 0, 5, 15 and 35 s
		t.Errorf("asked %d times in a minute", p.asked)
	}
	f.clock.Advance(time.Second)
	for range 20 * 60 {
		_, err := f.Fresh(t.Context(), f.finds(t, b), p.refresh)
		want(t, err, session.ErrUnavailable)
		if errors.Is(err, session.ErrNoSession) {
			t.Fatal("an outage is no end")
		}
		f.clock.Advance(time.Second)
	}
	if p.asked > 4+20 {
		t.Errorf("asked %d times in twenty minutes", p.asked)
	}
	p.fail = nil
	f.clock.Advance(time.Minute)
	_, err := f.Fresh(t.Context(), f.finds(t, b), p.refresh)
	must(t, err)
}

func TestAHandlerThatPanicsOrSaysNothing(t *testing.T) {
	for what, refresh := range map[string]session.Refresh{
		"panic":   func(context.Context, *authhandlers.Login) (*authhandlers.Login, error) { panic("planted-secret") },
		"nothing": func(context.Context, *authhandlers.Login) (*authhandlers.Login, error) { return nil, nil }, //nolint:nilnil // what it must not do
	} {
		f, b := memoryFlap(t), newBrowser()
		s := f.start(t, b, login("alice", f.clock))
		f.clock.Advance(5 * time.Minute)
		_, err := f.Fresh(t.Context(), s, refresh)
		want(t, err, session.ErrUnavailable)
		if strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: %v", what, err)
		}
		f.finds(t, b)
	}
}

// TestWhoeverLeavesDoesNotBreakTheRefresh: a closed tab must not cost the session.
func TestWhoeverLeavesDoesNotBreakTheRefresh(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	p := newProvider(f.clock)
	s := f.start(t, b, login("alice", f.clock))
	f.clock.Advance(4 * time.Minute)
	asking, goOn := make(chan struct{}), make(chan struct{})
	p.inAsk = func(ctx context.Context) {
		close(asking)
		select {
		case <-goOn:
		case <-ctx.Done():
			t.Error("the refresh was broken off")
		}
	}
	leaving, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { _, err := f.Fresh(leaving, s, p.refresh); left <- err }()
	<-asking
	leave()
	want(t, <-left, context.Canceled)
	stays := make(chan error)
	go func() { _, err := f.Fresh(t.Context(), s, p.refresh); stays <- err }()
	close(goOn)
	must(t, <-stays)
	if p.asked != 1 || f.finds(t, b).Login.RefreshToken != "planted-refresh-1" {
		t.Errorf("asked %d times", p.asked)
	}
}

// TestASlowProviderIsBounded and a crashed owner of the lock: the clock is that of
// the bubble.
func TestASlowProviderIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, b := memoryFlap(t), newBrowser()
		s := f.start(t, b, login("alice", f.clock))
		f.clock.Advance(5 * time.Minute)
		begun := time.Now()
		_, err := f.Fresh(t.Context(), s, func(ctx context.Context, _ *authhandlers.Login) (*authhandlers.Login, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		want(t, err, session.ErrUnavailable)
		if took := time.Since(begun); took != 15*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestTheLockOfACrashedCatflapEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c := newClock()
		store := session.NewMemory(func() time.Time { return c.Now().Add(time.Since(begun)) }, 100)
		f, b := newFlap(t, c, store), newBrowser()
		crashed := newFlap(t, c, store)
		p := newProvider(c)
		s := f.start(t, b, login("alice", c))
		c.Advance(4 * time.Minute)
		never := make(chan struct{})
		release := sync.OnceFunc(func() { close(never) })
		t.Cleanup(release)
		gone, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = crashed.Fresh(gone, s, func(context.Context, *authhandlers.Login) (*authhandlers.Login, error) {
				<-never // killed while it asks: nothing is stored, and nothing is released
				return nil, errors.New("never")
			})
		}()
		synctest.Wait()
		cancel()
		got, err := f.Fresh(t.Context(), s, p.refresh)
		must(t, err) // goes on with what holds for another minute
		if p.asked != 0 || got.Login.RefreshToken != "planted-refresh-0" || time.Since(begun) != 15*time.Second {
			t.Errorf("asked %d times after %v", p.asked, time.Since(begun))
		}
		time.Sleep(20 * time.Second) // of the bubble: beyond the lock's time
		c.Advance(6 * time.Second)   // and beyond the rest
		got, err = f.Fresh(t.Context(), s, p.refresh)
		must(t, err)
		if p.asked != 1 || got.Login.RefreshToken != "planted-refresh-1" {
			t.Errorf("asked %d times", p.asked)
		}
	})
}

func TestASessionThatEndsDuringItsRefreshStaysEnded(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	p := newProvider(f.clock)
	s := f.start(t, b, login("alice", f.clock))
	f.clock.Advance(4 * time.Minute)
	p.inAsk = func(ctx context.Context) { must(t, f.End(ctx, s)) }
	_, err := f.Fresh(t.Context(), s, p.refresh)
	want(t, err, session.ErrNoSession)
	f.findsNone(t, b)
	_, err = f.ByHandle(t.Context(), s.Handle)
	want(t, err, session.ErrNoSession)
}

func TestASocketsCopyFindsTheNewID(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	p := newProvider(f.clock)
	s := f.start(t, b, login("alice", f.clock))
	f.clock.Advance(4 * time.Minute)
	again := login("alice", f.clock)
	f.start(t, b, again)
	got, err := f.Fresh(t.Context(), s, p.refresh)
	must(t, err)
	if p.asked != 0 || !got.Login.Until.Equal(again.Until) {
		t.Errorf("asked %d times: %+v", p.asked, got)
	}
}

func TestWaitLetsARefreshEnd(t *testing.T) {
	c := newClock()
	ctx, stop := context.WithCancel(t.Context())
	m, err := session.New(ctx, session.Options{Store: session.NewMemory(c.Now, 10), Idle: idle, Lifetime: lifetime, PublicURL: "https://cat.example", Now: c.Now})
	must(t, err)
	b, p := newBrowser(), newProvider(c)
	w := httptest.NewRecorder()
	s, err := m.Start(t.Context(), w, b.request(), "company", login("alice", c))
	must(t, err)
	b.take(w)
	c.Advance(4 * time.Minute)
	asking := make(chan struct{})
	p.inAsk = func(context.Context) { close(asking) }
	leaving, leave := context.WithCancel(t.Context())
	go func() { _, _ = m.Fresh(leaving, s, p.refresh) }()
	<-asking
	leave()
	stop()
	m.Wait()
	found, err := m.Find(t.Context(), b.request())
	must(t, err)
	if found.Login.RefreshToken != "planted-refresh-1" {
		t.Error("the new token is lost")
	}
}
