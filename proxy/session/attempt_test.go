package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

// named gives the browser its cookie.
func (f *flap) named(b *browser) string {
	w := httptest.NewRecorder()
	name := f.Browser(w, b.request())
	b.take(w)
	return name
}

func TestAttempts(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	name := f.named(b)
	if again := f.named(b); again != name {
		t.Error("a browser with two names")
	}
	seen := map[string]bool{}
	var states []string
	for i := range 10 { // as many tabs
		a, err := f.Seal(session.Attempt{Handler: "company", ReturnTo: "/tab/" + strconv.Itoa(i), Browser: name, Again: i%2 == 0,
			Login: authhandlers.LoginAttempt{RedirectURI: "https://cat.example/cb", Again: true}})
		must(t, err)
		for _, secret := range []string{a.State, a.Nonce, a.Verifier} {
			if seen[secret] || len(secret) < 43 {
				t.Errorf("%q", secret)
			}
			seen[secret] = true
		}
		if !regexp.MustCompile(`\A[A-Za-z0-9_-]{43,128}\z`).MatchString(a.Verifier) { // RFC 7636 §4.1
			t.Errorf("%q is no verifier", a.Verifier)
		}
		if len(a.State) > 2048 || strings.Contains(a.State, a.Nonce) {
			t.Errorf("a state of %d bytes", len(a.State))
		}
		states = append(states, a.State)
		got, err := f.Open(b.request(), a.State)
		must(t, err)
		if got.Login != a || got.ReturnTo != "/tab/"+strconv.Itoa(i) || got.Handler != "company" || got.Browser != name || got.Again != (i%2 == 0) {
			t.Errorf("%+v, want %+v", got, a)
		}
	}
	f.clock.Advance(9 * time.Minute)
	for _, state := range states {
		_, err := f.Open(b.request(), state)
		must(t, err)
		if ok, err := f.Spend(t.Context(), state); !ok || err != nil {
			t.Error(ok, err)
		}
		if ok, err := f.Spend(t.Context(), state); ok || err != nil {
			t.Error("used twice", err)
		}
	}
}

func TestWhatIsNoAttemptOfThisBrowser(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	a, err := f.Seal(session.Attempt{Handler: "company", ReturnTo: "/x", Browser: f.named(b)})
	must(t, err)
	other := newBrowser()
	f.named(other)
	for what, c := range map[string]struct {
		r     *http.Request
		state string
		want  error
	}{
		"another browser": {other.request(), a.State, session.ErrAttemptForeign},
		"no cookie":       {newBrowser().request(), a.State, session.ErrAttemptForeign},
		"empty":           {b.request(), "", session.ErrAttemptBad},
		"cut":             {b.request(), a.State[:len(a.State)-4], session.ErrAttemptBad},
		"line end":        {b.request(), a.State + "\n", session.ErrAttemptBad},
		"padding":         {b.request(), a.State + "=", session.ErrAttemptBad},
		"huge":            {b.request(), strings.Repeat("A", 1<<20), session.ErrAttemptBad},
		"no base64":       {b.request(), "%%%", session.ErrAttemptBad},
	} {
		got, err := f.Open(c.r, c.state)
		if !errors.Is(err, c.want) || !errors.Is(err, session.ErrAttempt) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
		if foreign := errors.Is(err, session.ErrAttemptForeign); foreign != (got != nil) {
			t.Errorf("%s: %v", what, got)
		} else if foreign && (got.ReturnTo != "/x" || got.Login != (authhandlers.LoginAttempt{})) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	for i := range len(a.State) { // each changed character
		changed := []byte(a.State)
		changed[i] ^= 1
		if _, err := f.Open(b.request(), string(changed)); !errors.Is(err, session.ErrAttemptBad) {
			t.Fatalf("character %d: %v", i, err)
		}
	}
	if _, err := f.Spend(t.Context(), "AAAA"); !errors.Is(err, session.ErrAttemptBad) {
		t.Error(err)
	}
	f.clock.Advance(10 * time.Minute)
	late, err := f.Open(b.request(), a.State)
	want(t, err, session.ErrAttemptExpired)
	if late.ReturnTo != "/x" || late.Login != (authhandlers.LoginAttempt{}) {
		t.Errorf("%+v", late)
	}
	f.clock.Advance(-20 * time.Minute) // from the future
	_, err = f.Open(b.request(), a.State)
	want(t, err, session.ErrAttemptExpired)
}

func TestALongReturnIsCut(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	a, err := f.Seal(session.Attempt{ReturnTo: "/" + strings.Repeat("x", 2000), Browser: f.named(b)})
	must(t, err)
	got, err := f.Open(b.request(), a.State)
	if err != nil || got.ReturnTo != "/" || len(a.State) > 2048 {
		t.Errorf("%v, %v", got, err)
	}
	_, err = f.Seal(session.Attempt{Browser: f.named(b), Login: authhandlers.LoginAttempt{RedirectURI: strings.Repeat("x", 3000)}})
	want(t, err, session.ErrTooLarge)
	if _, err := f.Seal(session.Attempt{ReturnTo: "/"}); err == nil {
		t.Error("an attempt of no browser")
	}
}

func TestAStateIsSpentOnceAtAllCatflaps(t *testing.T) {
	server, c := startRedis(t), newClock()
	flaps := []*flap{newFlap(t, c, server.store(t, "")), newFlap(t, c, server.store(t, ""))}
	b := newBrowser()
	a, err := flaps[0].Seal(session.Attempt{ReturnTo: "/", Browser: flaps[0].named(b)})
	must(t, err)
	var wg sync.WaitGroup
	var n atomic.Int64
	for i := range 20 {
		wg.Go(func() {
			if ok, err := flaps[i%2].Spend(t.Context(), a.State); err != nil {
				t.Error(err)
			} else if ok {
				n.Add(1)
			}
		})
	}
	wg.Wait()
	if n.Load() != 1 {
		t.Errorf("spent %d times", n.Load())
	}
}

// TestTabsThatBeginAtOnce: a browser that was never here opens several tabs. Whichever
// comes back first succeeds, and from then on the browser has one name.
func TestTabsThatBeginAtOnce(t *testing.T) {
	for first := range 3 {
		f, b := memoryFlap(t), newBrowser()
		var states []string
		for range 3 {
			w := httptest.NewRecorder()
			name := f.Browser(w, newBrowser().request())
			a, err := f.Seal(session.Attempt{Handler: "company", ReturnTo: "/x", Browser: name})
			must(t, err)
			states = append(states, a.State)
			b.take(w)
		}
		if len(b.cookies) != 3 {
			t.Fatalf("cookies %v", b.cookies)
		}
		for _, state := range states {
			_, err := f.Open(b.request(), state)
			must(t, err)
		}
		before := b.request()
		s := f.start(t, b, login("alice", f.clock))
		if len(b.cookies) != 2 { // the session's and the browser's
			t.Errorf("cookies %v", b.cookies)
		}
		if got := f.KnownBrowser(b.request()); len(got) != 1 || got[0] != s.Browser {
			t.Errorf("the browser is %v and the session's %q", got, s.Browser)
		}
		w := httptest.NewRecorder() // a callback that was on its way meanwhile
		_, err := f.Open(before, states[first])
		must(t, err)
		late, err := f.Start(t.Context(), w, before, "company", login("alice", f.clock))
		must(t, err)
		if late.Browser != s.Browser {
			t.Error("one browser has two names")
		}
	}
}

func TestACookieOfAnAttemptIsHeldToItsName(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	f.named(b)
	for name, value := range b.cookies {
		delete(b.cookies, name)
		b.cookies[name[:len(name)-1]+"."] = value
	}
	if got := f.KnownBrowser(b.request()); len(got) != 0 {
		t.Errorf("named %v", got)
	}
}

// round is an attempt that is begun and leads to a session a second later.
func (f *flap) round(browser string, chosen bool) {
	begun := f.clock.Now()
	f.clock.Advance(time.Second)
	f.Completed(browser, &session.Attempt{Made: begun, Chosen: chosen})
	f.clock.Advance(time.Second)
}

func TestLoops(t *testing.T) {
	f := memoryFlap(t)
	for i := range 8 {
		if got := f.Loops("b"); got != (i >= 5) {
			t.Errorf("round %d: %v", i+1, got)
		}
		f.round("b", false)
	}
	if f.Loops("other") {
		t.Error("another browser")
	}
	f.clock.Advance(time.Minute)
	if f.Loops("b") {
		t.Error("after a minute")
	}
	for range 20 { // each quarter of a minute is no loop
		f.clock.Advance(15 * time.Second)
		f.round("b", false)
		if f.Loops("b") {
			t.Fatal("slow")
		}
	}
	for range 20 {
		f.round("hand", true)
	}
	if f.Loops("hand") {
		t.Error("who chooses by hand is not in a loop")
	}
}

// TestTabsAreNoLoop: any number of them may be sent to sign in at once.
func TestTabsAreNoLoop(t *testing.T) {
	f := memoryFlap(t)
	begun := f.clock.Now()
	for i := range 100 {
		if f.Loops("b") {
			t.Fatalf("tab %d", i)
		}
		f.clock.Advance(100 * time.Millisecond)
		f.Completed("b", &session.Attempt{Made: begun})
	}
}
