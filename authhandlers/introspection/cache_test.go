package introspection_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/introspection"
	"github.com/catflap/catflap/config/value"
)

// from is a request with a token from an address.
func from(address, token string) *authhandlers.Request {
	r := authtest.Bearer(token)
	r.ClientIP = netip.MustParseAddr(address)
	return r
}

func (f *fixture) wantAsked(t testing.TB, want int64) {
	t.Helper()
	if n := f.asked.Swap(0); n != want {
		t.Errorf("asked %d times, want %d", n, want)
	}
}

// TestRevocationBites: an answer is used for the set time at most, and never beyond the
// end of the token.
func TestRevocationBites(t *testing.T) {
	f := newFixture(t, func(c *introspection.Config) { c.Cache = value.Duration(20 * time.Second) })
	token := f.token("alice", nil)
	for range 5 {
		if _, err := f.ask(t, token); err != nil {
			t.Fatal(err)
		}
	}
	f.wantAsked(t, 1)
	f.says(token, "")
	f.clock.Advance(20 * time.Second)
	for range 5 {
		if _, err := f.ask(t, token); code(err) != "token_inactive" {
			t.Errorf("after the time: %v", err)
		}
	}
	f.wantAsked(t, 1)

	short := f.token("bob", map[string]any{"exp": f.clock.Now().Unix() + 3})
	if _, err := f.ask(t, short); err != nil {
		t.Fatal(err)
	}
	f.says(short, "")
	f.clock.Advance(3 * time.Second)
	if _, err := f.ask(t, short); code(err) != "token_inactive" {
		t.Errorf("after exp: %v", err)
	}
}

// TestRefusalsAreRemembered, shortly, and for the address that has got them.
func TestRefusalsAreRemembered(t *testing.T) {
	f := newFixture(t, nil)
	for range 5 {
		if _, err := f.ask(t, "unknown"); code(err) != "token_inactive" {
			t.Fatal(err)
		}
	}
	f.wantAsked(t, 1)
	f.says("unknown", f.claims("alice", nil))
	if _, err := f.h.Authenticate(t.Context(), from("192.0.2.99", "unknown")); err != nil {
		t.Errorf("another address: %v", err)
	}
	f.clock.Advance(10 * time.Second)
	if _, err := f.ask(t, "unknown"); err != nil {
		t.Errorf("when it has become good: %v", err)
	}
}

// TestNothingIsRememberedOfFaults: who comes next is asked about.
func TestNothingIsRememberedOfFaults(t *testing.T) {
	f := newFixture(t, nil)
	token := f.token("alice", nil)
	f.fails(status(503))
	for range 3 {
		if _, err := f.ask(t, token); code(err) != "fault" {
			t.Fatal(err)
		}
	}
	f.fails(nil)
	if _, err := f.ask(t, token); err != nil {
		t.Error(err)
	}
}

// TestOneQuestion: many who come at once with one token cause one question.
func TestOneQuestion(t *testing.T) {
	f := newFixture(t, nil)
	token := f.token("alice", nil)
	release := make(chan struct{})
	f.fails(func(http.ResponseWriter, *http.Request) bool {
		<-release
		return false
	})
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			if _, err := f.h.Authenticate(t.Context(), from(fmt.Sprintf("192.0.2.%d", n), token)); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "asked", func() bool { return f.asked.Load() > 0 })
	close(release)
	wg.Wait()
	f.wantAsked(t, 1)
}

// TestStrangersHaveAShare: who sends what nobody knows can neither have the provider
// flooded nor keep others from coming in.
func TestStrangersHaveAShare(t *testing.T) {
	f := newFixture(t, nil)
	inside := f.token("alice", nil)
	if _, err := f.ask(t, inside); err != nil {
		t.Fatal(err)
	}
	f.asked.Store(0)
	busy := 0
	for n := range 500 {
		if _, err := f.h.Authenticate(t.Context(), from("203.0.113.5", fmt.Sprint("guess-", n))); code(err) == "busy" {
			busy++
		}
	}
	if n := f.asked.Load(); n != 64 || busy != 436 {
		t.Errorf("one address caused %d questions, and was held off %d times", n, busy)
	}
	for n := range 500 { // hosts of one network count as one
		_, _ = f.h.Authenticate(t.Context(), from(fmt.Sprintf("2001:db8::%x", n+1), fmt.Sprint("guess6-", n)))
	}
	if n := f.asked.Load(); n != 128 {
		t.Errorf("a network caused %d questions", n-64)
	}
	f.clock.Advance(30 * time.Second)
	if _, err := f.h.Authenticate(t.Context(), from("203.0.113.5", inside)); err != nil {
		t.Errorf("whom the provider knows, from there: %v", err)
	}
	for n := range 64 {
		_, _ = f.h.Authenticate(t.Context(), from("203.0.113.5", fmt.Sprint("more-", n)))
	}
	if _, err := f.h.Authenticate(t.Context(), from("203.0.113.6", f.token("bob", nil))); err != nil {
		t.Errorf("somebody new, from elsewhere: %v", err)
	}
	f.clock.Advance(30 * time.Second)
	if _, err := f.h.Authenticate(t.Context(), from("203.0.113.5", f.token("carol", nil))); err != nil {
		t.Errorf("somebody new, from there, later: %v", err)
	}
}

// TestStrangersDoNotHoldUpThoseInside: questions about people who are in wait for no
// stranger's.
func TestStrangersDoNotHoldUpThoseInside(t *testing.T) {
	f := newFixture(t, nil)
	inside := f.token("alice", nil)
	if _, err := f.ask(t, inside); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	f.fails(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.PostFormValue("token") != inside {
			<-release
		}
		return false
	})
	f.asked.Store(0)
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			_, _ = f.h.Authenticate(t.Context(), from(fmt.Sprintf("198.51.100.%d", n), fmt.Sprint("guess-", n)))
		})
	}
	// One address alone has few of the turns, however many it asks for.
	for n := range 40 {
		wg.Go(func() { _, _ = f.h.Authenticate(t.Context(), from("203.0.113.77", fmt.Sprint("more-", n))) })
	}
	eventually(t, "all turns of strangers taken", func() bool { return f.asked.Load() >= 16 })
	f.clock.Advance(time.Minute)
	if _, err := f.ask(t, inside); err != nil {
		t.Error(err)
	}
	if n := f.asked.Load(); n > 17 {
		t.Errorf("%d questions at once", n)
	}
	close(release)
	wg.Wait()
}

// TestOneAddressLeavesTurns: an address whose questions take long leaves turns to others.
func TestOneAddressLeavesTurns(t *testing.T) {
	f := newFixture(t, nil)
	release := make(chan struct{})
	f.fails(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.PostFormValue("token"), "guess-") {
			<-release
		}
		return false
	})
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() { _, _ = f.h.Authenticate(t.Context(), from("203.0.113.5", fmt.Sprint("guess-", n))) })
	}
	eventually(t, "its turns taken", func() bool { return f.asked.Load() >= 4 })
	if _, err := f.h.Authenticate(t.Context(), from("203.0.113.6", f.token("alice", nil))); err != nil {
		t.Error(err)
	}
	if n := f.asked.Load(); n != 5 {
		t.Errorf("%d questions, want 4 of the address and one of another", n)
	}
	close(release)
	wg.Wait()
}
