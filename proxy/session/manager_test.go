package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

func TestASessionFromLoginToLogout(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	f.findsNone(t, b)
	l := login("alice", f.clock)
	l.Person.Permissions, l.Person.Claims = []string{}, map[string][]string{"roles": {"a"}}
	s := f.start(t, b, l)
	found := f.finds(t, b)
	if found.Handle != s.Handle || found.Handler != "company" || found.Browser == "" || !reflect.DeepEqual(found.Login, *l) {
		t.Errorf("%+v, want %+v", found, s)
	}
	if !found.Ends.Equal(f.clock.Now().Add(lifetime)) {
		t.Errorf("it ends %v", found.Ends)
	}
	byHandle, err := f.ByHandle(t.Context(), s.Handle)
	must(t, err)
	if byHandle.Login.Person.Subject != "alice" {
		t.Errorf("%+v", byHandle)
	}
	must(t, f.End(t.Context(), found))
	f.findsNone(t, b)
	_, err = f.ByHandle(t.Context(), s.Handle)
	want(t, err, session.ErrNoSession)
	if !f.toldOf(ofSession(s)) || f.saw(session.EventEnded) != 1 {
		t.Errorf("%+v, %v", f.revoked, f.events)
	}
}

func TestCookies(t *testing.T) {
	for _, c := range []struct {
		public, name string
		secure       bool
	}{
		{"https://cat.example", "__Host-catflap", true},
		{"https://localhost:8443", "__Host-catflap", true},
		{"http://localhost:8080", "catflap-8080", false},
		{"http://127.0.0.1:1", "catflap-1", false},
		{"http://[::1]:99/x", "catflap-99", false},
		{"http://localhost", "catflap-80", false},
		{"http://LOCALHOST:8080", "catflap-8080", false},
		{"http://127.0.0.2:8080", "catflap-8080", false},
	} {
		f := memoryFlap(t, func(o *session.Options) { o.PublicURL = c.public })
		w := httptest.NewRecorder()
		_, err := f.Start(t.Context(), w, newBrowser().request(), "company", login("alice", f.clock))
		must(t, err)
		f.RememberChoice(w, "company")
		f.ClearCookie(w)
		for i, set := range w.Result().Cookies() {
			if set.Path != "/" || set.Domain != "" || !set.HttpOnly || set.Secure != c.secure || set.SameSite != http.SameSiteLaxMode {
				t.Errorf("%s: %+v", c.public, set)
			}
			if set.Name != c.name+[]string{"-browser", "", "-choice", ""}[i] || len(set.Raw) > 300 {
				t.Errorf("%s: cookie %d is %s", c.public, i, set.Raw)
			}
			if age := []int{365 * 24 * 3600, int(lifetime / time.Second), 365 * 24 * 3600, -1}[i]; set.MaxAge != age {
				t.Errorf("%s: %s lives %d s", c.public, set.Name, set.MaxAge)
			}
		}
	}
	for _, public := range []string{"", "cat.example", "http://cat.example", "http://localhost.evil.example", "ftp://localhost", "http://localhost:99999", "http://10.0.0.1", "https://"} {
		c := newClock()
		if _, err := session.New(t.Context(), session.Options{Store: session.NewMemory(c.Now, 1), Idle: 1, Lifetime: 1, PublicURL: public}); err == nil {
			t.Errorf("%q is taken", public)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := session.Options{Store: session.NewMemory(nil, 1), Idle: 1, Lifetime: 1, PublicURL: "https://cat.example"}
	for what, change := range map[string]func(*session.Options){
		"no store":    func(o *session.Options) { o.Store = nil },
		"short key":   func(o *session.Options) { o.Keys = [][]byte{key(1), key(2)[:31]} },
		"no idle":     func(o *session.Options) { o.Idle = 0 },
		"no lifetime": func(o *session.Options) { o.Lifetime = -1 },
	} {
		o := good
		change(&o)
		if _, err := session.New(t.Context(), o); err == nil {
			t.Error(what)
		}
	}
	if _, err := session.New(t.Context(), session.Options{}); err == nil || err.Error() != "session.Options has no Idle, Lifetime, Store" {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoCookieOfASession(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	f.start(t, b, login("alice", f.clock))
	id := b.cookies["__Host-catflap"]
	for what, header := range map[string][]string{
		"none":             nil,
		"empty":            {"__Host-catflap="},
		"unknown":          {"__Host-catflap=" + strings.Repeat("A", 43)},
		"plain name":       {"catflap=" + id},
		"other case":       {"__host-catflap=" + id},
		"short":            {"__Host-catflap=" + id[:42]},
		"long":             {"__Host-catflap=" + id + "A"},
		"two":              {"__Host-catflap=" + id + "; __Host-catflap=x"},
		"two lines":        {"__Host-catflap=" + strings.Repeat("A", 43), "__Host-catflap=" + id},
		"padding":          {"__Host-catflap=" + id + "="},
		"no name":          {id},
		"huge":             {"__Host-catflap=" + strings.Repeat("A", 1<<20)},
		"of the browser":   {"__Host-catflap=" + b.cookies["__Host-catflap-browser"]},
		"as the store has": {"__Host-catflap=session:" + id},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = header
		if s, err := f.Find(t.Context(), r); !errors.Is(err, session.ErrNoSession) || s != nil {
			t.Errorf("%s: %v, %v", what, s, err)
		}
	}
	for what, header := range map[string][]string{
		"quoted":      {`__Host-catflap="` + id + `"`},
		"twice":       {"__Host-catflap=" + id + "; a=b; __Host-catflap=" + id},
		"other lines": {"a=b", "c=d; __Host-catflap=" + id},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = header
		if _, err := f.Find(t.Context(), r); err != nil || !f.HasCookie(r) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestTheIDHasOneText: the last of 43 characters holds only four bits.
func TestTheIDHasOneText(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	f.start(t, b, login("alice", f.clock))
	id := b.cookies["__Host-catflap"]
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	found := 0
	for _, last := range alphabet {
		b.cookies["__Host-catflap"] = id[:42] + string(last)
		if _, err := f.Find(t.Context(), b.request()); err == nil {
			found++
		}
	}
	if found != 1 {
		t.Errorf("%d texts are the id", found)
	}
}

func TestIdleAndLifetime(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	f.start(t, b, lasting("alice", f.clock))
	for range 15 { // in use, each half an hour
		f.clock.Advance(idle / 2)
		f.finds(t, b)
	}
	f.clock.Advance(idle / 2) // 8 hours
	f.findsNone(t, b)

	f.start(t, b, lasting("alice", f.clock))
	f.clock.Advance(idle)
	f.findsNone(t, b)

	s := f.start(t, b, lasting("alice", f.clock))
	for range 4 { // to be looked up by its handle is no use
		f.clock.Advance(idle / 4)
		_, _ = f.ByHandle(t.Context(), s.Handle)
	}
	f.findsNone(t, b)

	f.start(t, b, lasting("alice", f.clock))
	f.clock.Advance(idle / 2)
	f.Reconfigure(idle, idle/2+time.Minute)
	f.finds(t, b)
	f.clock.Advance(time.Minute)
	f.findsNone(t, b)
}

func TestTheStoreIsTouchedNowAndThen(t *testing.T) {
	c := newClock()
	store := &broken{Store: session.NewMemory(c.Now, 100)}
	n := 0
	store.on("touch", func() error { n++; return nil })
	f, b := newFlap(t, c, store), newBrowser()
	f.start(t, b, lasting("alice", c))
	for range 300 { // ten minutes
		f.finds(t, b)
		c.Advance(2 * time.Second)
	}
	if n < 9 || n > 11 {
		t.Errorf("touched %d times", n)
	}
}

func TestAFaultIsNotASessionThatIsNotThere(t *testing.T) {
	fault := errors.New("down")
	for _, call := range []string{"get", "touch"} {
		c := newClock()
		store := &broken{Store: session.NewMemory(c.Now, 100)}
		f, b := newFlap(t, c, store), newBrowser()
		f.start(t, b, lasting("alice", c))
		store.on(call, func() error { return fault })
		if s, err := f.Find(t.Context(), b.request()); !errors.Is(err, fault) || errors.Is(err, session.ErrNoSession) || s != nil {
			t.Errorf("%s: %v, %v", call, s, err)
		}
	}
}

func TestANewIDAtEachLogin(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	first := f.start(t, b, login("alice", f.clock))
	old := &browser{map[string]string{"__Host-catflap": b.cookies["__Host-catflap"]}}
	second := f.start(t, b, login("alice", f.clock))
	if second.Handle != first.Handle {
		t.Error("the same person, and another handle")
	}
	if f.toldOf(ofSession(first)) {
		t.Error("the sockets of the same person were ended")
	}
	f.findsNone(t, old)
	f.finds(t, b)
	if _, err := f.ByHandle(t.Context(), first.Handle); err != nil {
		t.Error(err)
	}
	// A planted id of the attacker's own is not the victim's afterwards.
	attacker, victim := newBrowser(), newBrowser()
	f.start(t, attacker, login("mallory", f.clock))
	victim.cookies["__Host-catflap"] = attacker.cookies["__Host-catflap"]
	f.start(t, victim, login("alice", f.clock))
	if victim.cookies["__Host-catflap"] == attacker.cookies["__Host-catflap"] {
		t.Error("fixed")
	}
	f.findsNone(t, attacker)
}

func TestSwitchingThePersonEndsTheOldOne(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	alice := f.start(t, b, login("alice", f.clock))
	bob := f.start(t, b, login("bob", f.clock))
	if bob.Handle == alice.Handle || !f.toldOf(ofSession(alice)) || f.toldOf(ofSession(bob)) {
		t.Errorf("%+v", f.revoked)
	}
	// The same subject of another issuer is somebody else.
	l := login("bob", f.clock)
	l.Person.Issuer = "https://other.example"
	other := f.start(t, b, l)
	if other.Handle == bob.Handle || !f.toldOf(ofSession(bob)) {
		t.Errorf("%+v", f.revoked)
	}
	// The session's cookie is gone, the browser's is not.
	delete(b.cookies, "__Host-catflap")
	f.start(t, b, login("carol", f.clock))
	if !f.toldOf(ofSession(other)) {
		t.Error("a session of before in the same browser lives on")
	}
}

func TestTabsThatSignInTogetherEndTogether(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	f.Browser(httptest.NewRecorder(), b.request())
	w := httptest.NewRecorder()
	f.Browser(w, b.request())
	b.take(w)
	first, second := &browser{map[string]string{}}, &browser{map[string]string{}}
	for name, value := range b.cookies {
		first.cookies[name], second.cookies[name] = value, value
	}
	f.start(t, first, login("alice", f.clock))
	s := f.start(t, second, login("alice", f.clock))
	f.finds(t, first)
	f.finds(t, second)
	must(t, f.End(t.Context(), s))
	f.findsNone(t, first)
	f.findsNone(t, second)
}

func TestNobodyCanBeSignedIn(t *testing.T) {
	f := memoryFlap(t)
	for _, p := range []authhandlers.AuthUserInfo{{}, {Issuer: issuer}, {Subject: "alice"}} {
		w := httptest.NewRecorder()
		if _, err := f.Start(t.Context(), w, newBrowser().request(), "company", &authhandlers.Login{Person: p}); err == nil || len(w.Result().Cookies()) != 0 {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if _, err := f.EndPerson(t.Context(), issuer, ""); err == nil {
		t.Error("everybody was ended")
	}
}

func TestAFullStoreRefusesSessions(t *testing.T) {
	c := newClock()
	f := newFlap(t, c, session.NewMemory(c.Now, 1))
	f.start(t, newBrowser(), login("alice", c))
	w := httptest.NewRecorder()
	_, err := f.Start(t.Context(), w, newBrowser().request(), "company", login("bob", c))
	want(t, err, session.ErrFull)
	for _, set := range w.Result().Cookies() {
		if set.Name == "__Host-catflap" {
			t.Error("a cookie of no session")
		}
	}
	l := login("carol", c)
	l.IDToken = strings.Repeat("x", 1<<20)
	_, err = f.Start(t.Context(), w, newBrowser().request(), "company", l)
	want(t, err, session.ErrTooLarge)
}

func TestASessionEndedWhileItsPersonSignsInAnew(t *testing.T) {
	c := newClock()
	store := &broken{Store: session.NewMemory(c.Now, 100)}
	f, b := newFlap(t, c, store), newBrowser()
	old := f.start(t, b, login("alice", c))
	created := 0
	store.on("create", func() error {
		if created++; created == 1 {
			if _, err := f.EndPerson(t.Context(), issuer, "alice"); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	s := f.start(t, b, login("alice", c))
	if s.Handle == old.Handle {
		t.Error("a handle that has ended lives again")
	}
	if _, err := f.ByHandle(t.Context(), old.Handle); !errors.Is(err, session.ErrNoSession) {
		t.Error(err)
	}
	if f.finds(t, b).Handle != s.Handle {
		t.Error("another session than the new one")
	}
}

func TestChoice(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	for name, kept := range map[string]bool{"company": true, "a-1": true, "": false, "Company": false, "a.b": false, "<b>": false, strings.Repeat("a", 32): false} {
		w := httptest.NewRecorder()
		f.RememberChoice(w, name)
		if got := len(w.Result().Cookies()) == 1; got != kept {
			t.Errorf("%q kept: %v", name, got)
		}
		b.take(w)
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", "__Host-catflap-choice="+name)
		if got := f.Choice(r); got != name && kept || got != "" && !kept {
			t.Errorf("%q is read as %q", name, got)
		}
	}
}

// forgetful is a store that keeps entries for too long, as one whose clock is wrong.
type forgetful struct{ session.Store }

func (s forgetful) Create(ctx context.Context, k string, v []byte, ttl time.Duration, indexes ...string) error {
	return s.Store.Create(ctx, k, v, 100*ttl, indexes...)
}

func (forgetful) Touch(context.Context, string, time.Duration) error { return nil }

func TestTheEndIsInTheRecordToo(t *testing.T) {
	c := newClock()
	f, b := newFlap(t, c, forgetful{session.NewMemory(c.Now, 10)}), newBrowser()
	s := f.start(t, b, lasting("alice", c))
	c.Advance(lifetime)
	f.findsNone(t, b)
	_, err := f.ByHandle(t.Context(), s.Handle)
	want(t, err, session.ErrNoSession)
}
