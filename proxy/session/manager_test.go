package session_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

const https = "https://chat.example"

// flap is one Catflap's manager, and what it was told.
type flap struct {
	*session.Manager
	clock *clock

	mu      sync.Mutex
	revoked []authhandlers.Revocation
}

func (f *flap) told() []authhandlers.Revocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]authhandlers.Revocation(nil), f.revoked...)
}

func newFlap(t *testing.T, c *clock, store session.Store, change ...func(*session.Options)) *flap {
	t.Helper()
	f := &flap{clock: c}
	o := session.Options{
		Store: store, Idle: time.Hour, Lifetime: 8 * time.Hour, PublicURL: https, Now: c.now, Log: slog.New(slog.DiscardHandler),
		Keys: [][]byte{bytes.Repeat([]byte{1}, 32)},
		Revoked: func(r authhandlers.Revocation) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.revoked = append(f.revoked, r)
		},
	}
	for _, ch := range change {
		ch(&o)
	}
	var err error
	if f.Manager, err = session.New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return f
}

func memoryFlap(t *testing.T) *flap {
	c := &clock{}
	return newFlap(t, c, session.NewMemory(c.now, 1000))
}

// jar is a browser's cookies.
type jar map[string]string

func (j jar) request() *http.Request {
	r := httptest.NewRequest(http.MethodGet, https+"/", nil)
	for name, value := range j {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (j jar) take(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(j, c.Name)
		} else {
			j[c.Name] = c.Value
		}
	}
}

const cookieName = "__Host-catflap"

func (f *flap) login(name string) *authhandlers.Login {
	return &authhandlers.Login{
		Person:  authhandlers.AuthUserInfo{Issuer: "https://idp.example", Subject: name, Groups: []string{"users"}, SessionID: "sid-" + name},
		IDToken: "id-token-of-" + name, RefreshToken: "refresh-1", IssuedAt: f.clock.now(), Until: f.clock.now().Add(5 * time.Minute),
	}
}

func (f *flap) start(t *testing.T, j jar, name string) *session.Session {
	t.Helper()
	w := httptest.NewRecorder()
	s, err := f.Start(t.Context(), w, j.request(), "desk", f.login(name))
	if err != nil {
		t.Fatal(err)
	}
	j.take(w)
	return s
}

func (f *flap) who(t *testing.T, j jar) string {
	t.Helper()
	s, err := f.Find(t.Context(), j.request())
	if errors.Is(err, session.ErrNoSession) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.Login.Person.Subject
}

func TestCookie(t *testing.T) {
	f := memoryFlap(t)
	w := httptest.NewRecorder()
	if _, err := f.Start(t.Context(), w, jar{}.request(), "desk", f.login("alice")); err != nil {
		t.Fatal(err)
	}
	f.ClearCookie(w)
	for _, c := range w.Result().Cookies() {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Raw) > 200 {
			t.Errorf("%s", c.Raw)
		}
	}
	for url, want := range map[string]string{
		"http://localhost:8080": "catflap-8080", "http://127.0.0.1:9": "catflap-9", "http://localhost": "catflap", "http://[::1]:1": "catflap-1",
		"https://x.example:8443": "__Host-catflap", "http://chat.example": "", "ftp://localhost": "", "": "", "https://": "",
	} {
		c := &clock{}
		m, err := session.New(t.Context(), session.Options{
			Store: session.NewMemory(c.now, 1), Idle: 1, Lifetime: 1, PublicURL: url, Now: c.now, Log: slog.Default(), Revoked: func(authhandlers.Revocation) {},
		})
		if (err == nil) != (want != "") || err == nil && m.CookieNames()[0] != want {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestLives(t *testing.T) {
	f := memoryFlap(t)
	j := jar{}
	f.start(t, j, "alice")
	for range 7 {
		f.clock.pass(59 * time.Minute)
		if f.who(t, j) != "alice" {
			t.Fatal("used, and ended")
		}
	}
	f.clock.pass(59 * time.Minute)
	f.who(t, j)
	f.clock.pass(9 * time.Minute) // 8h and 2 minutes in all
	if f.who(t, j) != "" {
		t.Error("it outlives its lifetime")
	}
	f.start(t, j, "alice")
	f.clock.pass(61 * time.Minute)
	if f.who(t, j) != "" {
		t.Error("it outlives its idle time")
	}
}

// TestAtRest: the store shows nobody's name or token, and what is there can't be
// moved to another place, changed, or made into a cookie.
func TestAtRest(t *testing.T) {
	c := &clock{}
	store := &spy{Memory: session.NewMemory(c.now, 1000)}
	f := newFlap(t, c, store)
	j, other := jar{}, jar{}
	f.start(t, j, "alice")
	f.start(t, other, "mallory")
	if _, err := f.EndPerson(t.Context(), "https://idp.example", "nobody-at-all"); err != nil {
		t.Fatal(err)
	}
	if err := f.Logout(t.Context(), &authhandlers.Logout{
		Revocation: authhandlers.Revocation{Issuer: "https://idp.example", SessionID: "sid-nobody"}, TokenID: "jti-1", Expiry: c.now(),
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.IssueTicket(t.Context(), session.Ticket{Session: "handle"}); err != nil {
		t.Fatal(err)
	}
	id := j[cookieName]
	all := store.all()
	for _, secret := range []string{id, "alice", "mallory", "refresh-1", "id-token", "idp.example", "sid-", "jti-1", "nobody"} {
		if strings.Contains(all, secret) {
			t.Errorf("the store shows %q", secret)
		}
	}
	keys := store.keys()
	a, _ := store.Get(t.Context(), keys[0])
	if err := store.Replace(t.Context(), keys[1], a); err != nil {
		t.Fatal(err)
	}
	if who := f.who(t, other); who != "" {
		t.Errorf("a session that was moved is %q's", who)
	}
	a = append([]byte(nil), a...)
	a[len(a)-1] ^= 1
	if err := store.Replace(t.Context(), keys[0], a); err != nil {
		t.Fatal(err)
	}
	if who := f.who(t, j); who != "" {
		t.Errorf("a session that was changed is %q's", who)
	}
	// What stands in the store is no cookie.
	if who := f.who(t, jar{cookieName: keys[0]}); who != "" {
		t.Errorf("a key of the store is %q's cookie", who)
	}
}

// spy remembers what a store has been given.
type spy struct {
	*session.Memory
	mu      sync.Mutex
	created []string
	text    strings.Builder
}

func (s *spy) note(parts ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(&s.text, parts...)
}

func (s *spy) Create(ctx context.Context, key string, value []byte, ttl time.Duration, indexes ...string) error {
	s.note(key, string(value), indexes)
	s.mu.Lock()
	s.created = append(s.created, key)
	s.mu.Unlock()
	return s.Memory.Create(ctx, key, value, ttl, indexes...)
}

func (s *spy) Once(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	s.note(key)
	return s.Memory.Once(ctx, key, ttl)
}

func (s *spy) Publish(ctx context.Context, m []byte) error {
	s.note(string(m))
	return s.Memory.Publish(ctx, m)
}

func (s *spy) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *spy) keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.created
}

func TestKeyRotation(t *testing.T) {
	c := &clock{}
	store := session.NewMemory(c.now, 1000)
	old, fresh := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	with := func(keys ...[]byte) *flap { return newFlap(t, c, store, func(o *session.Options) { o.Keys = keys }) }
	j := jar{}
	s := with(old).start(t, j, "alice")
	both := with(fresh, old)
	if both.who(t, j) != "alice" {
		t.Error("the old key opens no more")
	}
	if _, err := both.ByHandle(t.Context(), s.Handle); err != nil {
		t.Errorf("not found by its handle: %v", err)
	}
	if n, err := both.EndPerson(t.Context(), "https://idp.example", "alice"); n != 1 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	both.start(t, j, "alice")
	if with(old).who(t, j) != "" || with(fresh).who(t, j) != "alice" {
		t.Error("the new key does not seal")
	}
	if _, err := session.New(t.Context(), session.Options{
		Store: store, Keys: [][]byte{old[:31]}, Idle: 1, Lifetime: 1, PublicURL: https, Now: c.now, Log: slog.Default(), Revoked: func(authhandlers.Revocation) {},
	}); err == nil {
		t.Error("a short key was taken")
	}
}

// renewer is a provider whose refresh tokens can be used once.
type renewer struct {
	flap  *flap
	calls atomic.Int32
	mu    sync.Mutex
	good  string
	n     int
	hold  chan struct{} // if not nil, the answer waits for it
	fail  error
}

func (r *renewer) refresh(ctx context.Context, old *authhandlers.Login) (*authhandlers.Login, error) {
	r.calls.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return nil, r.fail
	}
	if r.good != "" && old.RefreshToken != r.good {
		return nil, authhandlers.Reject("login_ended", "sign in again", "a spent refresh token")
	}
	if r.hold != nil {
		select {
		case <-r.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r.n++
	l := r.flap.login(old.Person.Subject)
	l.RefreshToken = fmt.Sprint("refresh-", r.n+1)
	l.Person.Groups = []string{"admins"}
	r.good = l.RefreshToken
	return l, nil
}

// TestOneRenewal: fifty at once, at two Catflaps on one Redis.
func TestOneRenewal(t *testing.T) {
	c := &clock{}
	prefix := t.Name() + rand.Text() + ":"
	a := newFlap(t, c, redisStore(t, prefix))
	b := newFlap(t, c, redisStore(t, prefix))
	j := jar{}
	a.start(t, j, "alice")
	c.pass(4*time.Minute + 30*time.Second)
	r := &renewer{flap: a, good: "refresh-1"}
	var wg sync.WaitGroup
	for i := range 50 {
		f := []*flap{a, b}[i%2]
		wg.Go(func() {
			s, err := f.Find(t.Context(), j.request())
			if err == nil {
				s, err = f.Fresh(t.Context(), s, r.refresh)
			}
			if err != nil || s.Login.RefreshToken != "refresh-2" || s.Login.Person.Groups[0] != "admins" {
				t.Errorf("%v %v", s, err)
			}
		})
	}
	wg.Wait()
	if n := r.calls.Load(); n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
	// And again: the rotated token was kept.
	c.pass(5 * time.Minute)
	s, err := b.Find(t.Context(), j.request())
	if err == nil {
		s, err = b.Fresh(t.Context(), s, r.refresh)
	}
	if err != nil || s.Login.RefreshToken != "refresh-3" {
		t.Errorf("%v %v", s, err)
	}
}

func TestRenewalRefused(t *testing.T) {
	c := &clock{}
	prefix := t.Name() + rand.Text() + ":"
	a, b := newFlap(t, c, redisStore(t, prefix)), newFlap(t, c, redisStore(t, prefix))
	j := jar{}
	s := a.start(t, j, "alice")
	c.pass(5 * time.Minute)
	r := &renewer{flap: a, fail: authhandlers.Reject("login_ended", "sign in again", "disabled")}
	_, err := a.Fresh(t.Context(), s, r.refresh)
	rejected, ok := errors.AsType[*authhandlers.Rejection](err)
	if !errors.Is(err, session.ErrNoSession) || !ok || rejected.Code != "login_ended" {
		t.Errorf("%v", err)
	}
	if a.who(t, j) != "" || b.who(t, j) != "" {
		t.Error("the session goes on")
	}
	for _, f := range []*flap{a, b} {
		eventually(t, "the Catflaps are told", func() bool { return len(f.told()) == 1 && f.told()[0].Session == s.Handle })
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so within 5 s: %s", what)
		}
	}
}

func TestRenewalFault(t *testing.T) {
	f := memoryFlap(t)
	s := f.start(t, jar{}, "alice")
	r := &renewer{flap: f, fail: io.ErrUnexpectedEOF}
	f.clock.pass(4*time.Minute + 1*time.Second)
	for range 10 {
		if got, err := f.Fresh(t.Context(), s, r.refresh); err != nil || got.Login.RefreshToken != "refresh-1" {
			t.Fatalf("before the end: %v", err)
		}
	}
	if n := r.calls.Load(); n != 1 {
		t.Errorf("the provider that fails was asked %d times at once", n)
	}
	f.clock.pass(time.Minute)
	if _, err := f.Fresh(t.Context(), s, r.refresh); !errors.Is(err, session.ErrUnavailable) || errors.Is(err, session.ErrNoSession) {
		t.Errorf("after the end: %v", err)
	}
	r.mu.Lock()
	r.fail = nil
	r.mu.Unlock()
	f.clock.pass(time.Minute)
	if got, err := f.Fresh(t.Context(), s, r.refresh); err != nil || got.Login.RefreshToken != "refresh-2" {
		t.Errorf("back again: %v", err)
	}
}

// TestRenewalThatSaysNothing: the refresh token was rotated, and must be kept, but
// what the person is could not be asked.
func TestRenewalThatSaysNothing(t *testing.T) {
	f := memoryFlap(t)
	j := jar{}
	s := f.start(t, j, "alice")
	f.clock.pass(4*time.Minute + 30*time.Second)
	calls := 0
	refresh := func(_ context.Context, old *authhandlers.Login) (*authhandlers.Login, error) {
		calls++
		kept := *old
		kept.RefreshToken = fmt.Sprint("refresh-", calls+1)
		return &kept, nil
	}
	for range 5 {
		if _, err := f.Fresh(t.Context(), s, refresh); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := f.Find(t.Context(), j.request()); err != nil || now.Login.RefreshToken != "refresh-2" || calls != 1 {
		t.Errorf("%v %v after %d calls", now, err, calls)
	}
	f.clock.pass(time.Minute)
	if _, err := f.Fresh(t.Context(), s, refresh); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("after the end: %v", err)
	}
}

// TestNobodyBringsBackWhatHasEnded: a logout while the provider is asked.
func TestNobodyBringsBackWhatHasEnded(t *testing.T) {
	f := memoryFlap(t)
	j := jar{}
	s := f.start(t, j, "alice")
	f.clock.pass(5 * time.Minute)
	r := &renewer{flap: f, hold: make(chan struct{})}
	result := make(chan error, 1)
	go func() {
		_, err := f.Fresh(context.Background(), s, r.refresh)
		result <- err
	}()
	eventually(t, "the provider is asked", func() bool { return r.calls.Load() == 1 })
	if err := f.End(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	close(r.hold)
	if err := <-result; !errors.Is(err, session.ErrNoSession) {
		t.Errorf("%v", err)
	}
	if f.who(t, j) != "" {
		t.Error("it is back")
	}
}

// TestWhoLeavesBreaksNothing: the first to ask goes away.
func TestWhoLeavesBreaksNothing(t *testing.T) {
	f := memoryFlap(t)
	s := f.start(t, jar{}, "alice")
	f.clock.pass(5 * time.Minute)
	r := &renewer{flap: f, hold: make(chan struct{})}
	leaving, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, err := f.Fresh(leaving, s, r.refresh); left <- err }()
	eventually(t, "the provider is asked", func() bool { return r.calls.Load() == 1 })
	stayed := make(chan error, 1)
	go func() { _, err := f.Fresh(context.Background(), s, r.refresh); stayed <- err }()
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(r.hold)
	if err := <-stayed; err != nil || r.calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, r.calls.Load())
	}
}

func TestAnotherPersonAtRenewal(t *testing.T) {
	f := memoryFlap(t)
	s := f.start(t, jar{}, "alice")
	f.clock.pass(5 * time.Minute)
	if _, err := f.Fresh(t.Context(), s, func(context.Context, *authhandlers.Login) (*authhandlers.Login, error) {
		return f.login("mallory"), nil
	}); !errors.Is(err, session.ErrNoSession) {
		t.Errorf("%v", err)
	}
}

func TestBackChannel(t *testing.T) {
	f := memoryFlap(t)
	one, two, bob := jar{}, jar{}, jar{}
	f.start(t, one, "alice")
	f.start(t, bob, "bob")
	token := func(jti, sid, sub string) *authhandlers.Logout {
		return &authhandlers.Logout{
			Revocation: authhandlers.Revocation{Issuer: "https://idp.example", SessionID: sid, Subject: sub}, TokenID: jti, IssuedAt: f.clock.now(),
			Expiry: f.clock.now().Add(2 * time.Minute),
		}
	}
	if err := f.Logout(t.Context(), token("1", "sid-alice", "bob")); err != nil || f.who(t, one) != "alice" || f.who(t, bob) != "bob" {
		t.Errorf("a sid that is not the subject's: %v %q", err, f.who(t, one))
	}
	if err := f.Logout(t.Context(), token("1", "sid-alice", "")); !errors.Is(err, session.ErrReplayed) {
		t.Errorf("the same jti: %v", err)
	}
	if err := f.Logout(t.Context(), token("2", "", "alice")); err != nil || f.who(t, one) != "" || f.who(t, bob) != "bob" {
		t.Errorf("by subject: %v", err)
	}
	// A sign-in that began before it, and is finished after it.
	late := f.login("alice")
	late.Person.SessionID = ""
	late.IssuedAt = f.clock.now().Add(-time.Second)
	if _, err := f.Start(t.Context(), httptest.NewRecorder(), two.request(), "desk", late); !errors.Is(err, session.ErrLoggedOut) {
		t.Errorf("a sign-in from before: %v", err)
	}
	f.clock.pass(time.Second)
	late.IssuedAt = f.clock.now()
	if _, err := f.Start(t.Context(), httptest.NewRecorder(), two.request(), "desk", late); err != nil {
		t.Errorf("a sign-in from after: %v", err)
	}
	if err := f.Logout(t.Context(), token("3", "sid-bob", "")); err != nil || f.who(t, bob) != "" {
		t.Errorf("by sid: %v", err)
	}
	if _, err := f.Start(t.Context(), httptest.NewRecorder(), bob.request(), "desk", f.login("bob")); !errors.Is(err, session.ErrLoggedOut) {
		t.Errorf("a sid that is over: %v", err)
	}
	for _, bad := range []*authhandlers.Logout{token("4", "", ""), token("", "sid-alice", ""), {TokenID: "5", Revocation: authhandlers.Revocation{SessionID: "x"}}} {
		if err := f.Logout(t.Context(), bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestAttempts(t *testing.T) {
	f := memoryFlap(t)
	j := jar{}
	w := httptest.NewRecorder()
	browser := f.Browser(w, j.request())
	j.take(w)
	seal := func(browser string) authhandlers.LoginAttempt {
		t.Helper()
		l, err := f.Seal(session.Attempt{
			Handler: "desk", ReturnTo: "/admin/", Browser: browser, Made: f.clock.now(), Login: authhandlers.LoginAttempt{RedirectURI: https + "/cb"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	one, two := seal(browser), seal(browser)
	if one.State == two.State || one.Nonce == two.Nonce || one.Verifier == two.Verifier || one.Nonce == one.Verifier || len(one.Verifier) < 43 {
		t.Error("attempts share secrets")
	}
	a, err := f.Open(j.request(), one.State)
	if err != nil || a.Login != one || a.ReturnTo != "/admin/" || a.Handler != "desk" {
		t.Errorf("%v %v", a, err)
	}
	for name, c := range map[string]struct {
		j     jar
		state string
		want  error
	}{
		"no cookie":       {jar{}, one.State, session.ErrAttemptForeign},
		"another browser": {jar{}, seal("somebody").State, session.ErrAttemptForeign},
		"cut":             {j, one.State[:len(one.State)-4], session.ErrAttemptBad},
		"padded":          {j, one.State + "=", session.ErrAttemptBad},
		"empty":           {j, "", session.ErrAttemptBad},
		"huge":            {j, strings.Repeat("A", 1<<20), session.ErrAttemptBad},
		"another key's":   {j, otherState(t), session.ErrAttemptBad},
	} {
		if _, err := f.Open(c.j.request(), c.state); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i, want := range []bool{true, false} {
		if ok, err := f.Spend(t.Context(), one.State); ok != want || err != nil {
			t.Errorf("use %d: %v %v", i, ok, err)
		}
	}
	if ok, err := f.Spend(t.Context(), two.State); !ok || err != nil {
		t.Errorf("another tab: %v %v", ok, err)
	}
	f.clock.pass(10 * time.Minute)
	if _, err := f.Open(j.request(), two.State); !errors.Is(err, session.ErrAttemptExpired) {
		t.Errorf("%v", err)
	}
	long, err := f.Seal(session.Attempt{Handler: "desk", ReturnTo: "/" + strings.Repeat("a", 4096), Browser: browser, Made: f.clock.now()})
	if err != nil || len(long.State) > 3<<10 {
		t.Errorf("%d %v", len(long.State), err)
	}
	if a, err := f.Open(j.request(), long.State); err != nil || a.ReturnTo != "" {
		t.Errorf("%v %v", a, err)
	}
}

func otherState(t *testing.T) string {
	t.Helper()
	c := &clock{}
	other := newFlap(t, c, session.NewMemory(c.now, 10), func(o *session.Options) { o.Keys = nil })
	l, err := other.Seal(session.Attempt{Handler: "desk", Made: c.now()})
	if err != nil {
		t.Fatal(err)
	}
	return l.State
}

// FuzzCookie: nobody's bytes are somebody's session.
func FuzzCookie(f *testing.F) {
	c := &clock{}
	m, err := session.New(context.Background(), session.Options{
		Store: session.NewMemory(c.now, 10), Idle: time.Hour, Lifetime: time.Hour, PublicURL: https, Now: c.now, Log: slog.New(slog.DiscardHandler),
		Revoked: func(authhandlers.Revocation) {},
	})
	if err != nil {
		f.Fatal(err)
	}
	w := httptest.NewRecorder()
	if _, err := m.Start(context.Background(), w, jar{}.request(), "desk", &authhandlers.Login{Person: authhandlers.AuthUserInfo{Issuer: "i", Subject: "s"}}); err != nil {
		f.Fatal(err)
	}
	j := jar{}
	j.take(w)
	good := j[cookieName]
	f.Add(cookieName+"="+good, "")
	f.Add(cookieName+`="`+good+`"; a=b`, cookieName+"="+good)
	f.Add(" ;;=;"+cookieName+"="+good+"=", cookieName)
	f.Add("__host-catflap="+good, "x="+cookieName+"="+good)
	f.Fuzz(func(t *testing.T, one, two string) {
		r := httptest.NewRequest(http.MethodGet, https+"/", nil)
		r.Header["Cookie"] = []string{one, two}
		s, err := m.Find(t.Context(), r)
		if err == nil && !strings.Contains(one+two, good) {
			t.Fatalf("%q %q is %v", one, two, s)
		}
		if err != nil && !errors.Is(err, session.ErrNoSession) {
			t.Fatal(err)
		}
		m.KnownBrowser(r)
		if c := m.Choice(r); strings.ContainsAny(c, " \r\n;\"<>") || len(c) > 31 {
			t.Fatalf("choice %q", c)
		}
	})
}

// FuzzState: nobody's bytes are an attempt.
func FuzzState(f *testing.F) {
	c := &clock{}
	m, err := session.New(context.Background(), session.Options{
		Store: session.NewMemory(c.now, 10), Idle: time.Hour, Lifetime: time.Hour, PublicURL: https, Now: c.now, Log: slog.New(slog.DiscardHandler),
		Revoked: func(authhandlers.Revocation) {},
	})
	if err != nil {
		f.Fatal(err)
	}
	l, err := m.Seal(session.Attempt{Handler: "desk", Browser: "b", Made: c.now()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(l.State)
	f.Add("")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte{1, 2, 3}))
	f.Fuzz(func(t *testing.T, state string) {
		if a, err := m.Open(jar{}.request(), state); a != nil && state != l.State {
			t.Fatalf("%q is %v %v", state, a, err)
		}
	})
}

// FuzzDisplayToken: what was not made here matches nobody.
func FuzzDisplayToken(f *testing.F) {
	c := &clock{}
	m, err := session.New(context.Background(), session.Options{
		Store: session.NewMemory(c.now, 10), Idle: time.Hour, Lifetime: time.Hour, PublicURL: https, Now: c.now, Log: slog.New(slog.DiscardHandler),
		Revoked: func(authhandlers.Revocation) {},
	})
	if err != nil {
		f.Fatal(err)
	}
	s := &session.Session{Browser: "b", Login: authhandlers.Login{Person: authhandlers.AuthUserInfo{Issuer: "i", Subject: "s"}}}
	good, err := m.DisplayToken(s, "Alice", map[string][]string{"STATUS": {"READ"}})
	if err != nil || !m.DisplayMatches(good, s) {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good + "x")
	f.Add(strings.Join(strings.Split(good, ".")[:2], "."))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		if m.DisplayMatches(text, s) && text != good {
			t.Fatalf("%q matches", text)
		}
		if session.IsDisplayToken(text) && strings.Count(text, ".") == 0 {
			t.Fatalf("%q", text)
		}
	})
}
