package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("%v, want %v", err, target)
	}
}

const (
	issuer   = "https://idp.example"
	idle     = time.Hour
	lifetime = 8 * time.Hour
)

func key(b byte) []byte { return slices.Repeat([]byte{b}, 32) }

// flap is one Catflap: a manager, and what it has told.
type flap struct {
	*session.Manager
	clock *clock

	mu      sync.Mutex
	events  []string
	revoked []authhandlers.Revocation
	resyncs int
}

func newFlap(t testing.TB, c *clock, s session.Store, change ...func(*session.Options)) *flap {
	t.Helper()
	f := &flap{clock: c}
	o := session.Options{
		Store: s, Keys: [][]byte{key(1)}, Idle: idle, Lifetime: lifetime, PublicURL: "https://cat.example", Now: c.Now,
		Observe: func(e string) { f.mu.Lock(); defer f.mu.Unlock(); f.events = append(f.events, e) },
		Revoked: func(r authhandlers.Revocation) { f.mu.Lock(); defer f.mu.Unlock(); f.revoked = append(f.revoked, r) },
		Resync:  func() { f.mu.Lock(); defer f.mu.Unlock(); f.resyncs++ },
	}
	for _, ch := range change {
		ch(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m, err := session.New(ctx, o)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	f.Manager = m
	t.Cleanup(func() { cancel(); m.Wait() })
	return f
}

// memoryFlap is one on a store of its own.
func memoryFlap(t testing.TB, change ...func(*session.Options)) *flap {
	c := newClock()
	return newFlap(t, c, session.NewMemory(c.Now, 1000), change...)
}

func (f *flap) saw(event string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, e := range f.events {
		if e == event {
			n++
		}
	}
	return n
}

func (f *flap) toldOf(match func(authhandlers.Revocation) bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.revoked, match)
}

func ofSession(s *session.Session) func(authhandlers.Revocation) bool {
	return func(r authhandlers.Revocation) bool { return r.Session == s.Handle }
}

// browser keeps cookies as one does.
type browser struct{ cookies map[string]string }

func newBrowser() *browser { return &browser{map[string]string{}} }

func (b *browser) request() *http.Request {
	r := httptest.NewRequest("GET", "https://cat.example/", nil)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (b *browser) take(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
}

func login(subject string, c *clock) *authhandlers.Login {
	return &authhandlers.Login{
		Person:  authhandlers.AuthUserInfo{Issuer: issuer, Subject: subject, SessionID: "sid-" + subject, Name: subject, Groups: []string{"g"}},
		IDToken: "planted-id-token", RefreshToken: "planted-refresh-0", IssuedAt: c.Now(), Until: c.Now().Add(5 * time.Minute),
	}
}

func lasting(subject string, c *clock) *authhandlers.Login {
	l := login(subject, c)
	l.RefreshToken = ""
	return l
}

// start signs somebody in in the browser.
func (f *flap) start(t testing.TB, b *browser, l *authhandlers.Login) *session.Session {
	t.Helper()
	w := httptest.NewRecorder()
	s, err := f.Start(t.Context(), w, b.request(), "company", l)
	must(t, err)
	b.take(w)
	return s
}

func (f *flap) finds(t testing.TB, b *browser) *session.Session {
	t.Helper()
	s, err := f.Find(t.Context(), b.request())
	must(t, err)
	return s
}

func (f *flap) findsNone(t testing.TB, b *browser) {
	t.Helper()
	s, err := f.Find(t.Context(), b.request())
	if !errors.Is(err, session.ErrNoSession) || s != nil {
		t.Fatalf("%v, %v; want ErrNoSession", s, err)
	}
}

// broken is a store of which some calls fail, or do something first.
type broken struct {
	session.Store
	mu     sync.Mutex
	before map[string]func() error
}

func (b *broken) on(call string, f func() error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.before == nil {
		b.before = map[string]func() error{}
	}
	b.before[call] = f
}

func (b *broken) call(name string) error {
	b.mu.Lock()
	f := b.before[name]
	b.mu.Unlock()
	if f == nil {
		return nil
	}
	return f()
}

func (b *broken) Create(ctx context.Context, k string, v []byte, ttl time.Duration, indexes ...string) error {
	if err := b.call("create"); err != nil {
		return err
	}
	return b.Store.Create(ctx, k, v, ttl, indexes...)
}

func (b *broken) Get(ctx context.Context, k string) ([]byte, error) {
	if err := b.call("get"); err != nil {
		return nil, err
	}
	return b.Store.Get(ctx, k)
}

func (b *broken) Replace(ctx context.Context, k string, v []byte) error {
	if err := b.call("replace"); err != nil {
		return err
	}
	return b.Store.Replace(ctx, k, v)
}

func (b *broken) Touch(ctx context.Context, k string, ttl time.Duration) error {
	if err := b.call("touch"); err != nil {
		return err
	}
	return b.Store.Touch(ctx, k, ttl)
}

func (b *broken) Find(ctx context.Context, index string) ([]string, error) {
	if err := b.call("find"); err != nil {
		return nil, err
	}
	return b.Store.Find(ctx, index)
}

func (b *broken) Publish(ctx context.Context, m []byte) error {
	if err := b.call("publish"); err != nil {
		return err
	}
	return b.Store.Publish(ctx, m)
}

// recorder notes the key of the last entry.
type recorder struct {
	session.Store
	last string
}

func (r *recorder) Create(ctx context.Context, k string, v []byte, ttl time.Duration, indexes ...string) error {
	r.last = k
	return r.Store.Create(ctx, k, v, ttl, indexes...)
}
