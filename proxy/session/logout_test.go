package session_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

func logout(c *clock, id string, r authhandlers.Revocation) *authhandlers.Logout {
	r.Issuer = issuer
	return &authhandlers.Logout{Revocation: r, TokenID: id, IssuedAt: c.Now(), Expiry: c.Now().Add(2 * time.Minute)}
}

func TestBackChannelLogout(t *testing.T) {
	server, c := startRedis(t), newClock()
	here, there := newFlap(t, c, server.store(t, "")), newFlap(t, c, server.store(t, ""))
	one, two, bob := newBrowser(), newBrowser(), newBrowser()
	first := here.start(t, one, login("alice", c))
	l := login("alice", c)
	l.Person.SessionID = "sid-2"
	here.start(t, two, l)
	here.start(t, bob, login("bob", c))

	must(t, there.Logout(t.Context(), logout(c, "1", authhandlers.Revocation{SessionID: "sid-alice"})))
	here.findsNone(t, one)
	here.finds(t, two)
	here.finds(t, bob)
	for _, f := range []*flap{here, there} {
		eventually(t, "the end of the session is told", func() bool { return f.toldOf(ofSession(first)) })
		eventually(t, "the end of its tokens is told", func() bool {
			return f.toldOf(func(r authhandlers.Revocation) bool {
				return r == authhandlers.Revocation{Issuer: issuer, SessionID: "sid-alice", Reason: session.ReasonProviderLogout}
			})
		})
	}
	// Of both sid and sub, both must fit.
	must(t, there.Logout(t.Context(), logout(c, "2", authhandlers.Revocation{SessionID: "sid-bob", Subject: "alice"})))
	here.finds(t, bob)
	must(t, there.Logout(t.Context(), logout(c, "3", authhandlers.Revocation{Subject: "alice", Reason: "given"})))
	here.findsNone(t, two)
	here.finds(t, bob)
	eventually(t, "the reason that was given", func() bool {
		return here.toldOf(func(r authhandlers.Revocation) bool { return r.Subject == "alice" && r.Reason == "given" })
	})
	// Another issuer's sid is another session.
	other := logout(c, "4", authhandlers.Revocation{SessionID: "sid-bob"})
	other.Revocation.Issuer = "https://other.example"
	must(t, here.Logout(t.Context(), other))
	here.finds(t, bob)
}

func TestALogoutTokenHoldsOnce(t *testing.T) {
	f := memoryFlap(t)
	l := logout(f.clock, "1", authhandlers.Revocation{Subject: "alice"})
	must(t, f.Logout(t.Context(), l))
	want(t, f.Logout(t.Context(), l), session.ErrReplayed)
	f.clock.Advance(6 * time.Minute) // beyond its end
	want(t, f.Logout(t.Context(), l), session.ErrReplayed)
	other := *l
	other.Revocation.Issuer = "https://other.example"
	must(t, f.Logout(t.Context(), &other))
	for _, bad := range []*authhandlers.Logout{
		{}, logout(f.clock, "", authhandlers.Revocation{Subject: "a"}), logout(f.clock, "2", authhandlers.Revocation{}),
		{TokenID: "3", Revocation: authhandlers.Revocation{Subject: "alice"}},
	} {
		if f.Logout(t.Context(), bad) == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func TestALogoutThatFailedMayComeAgain(t *testing.T) {
	for _, call := range []string{"create", "find", "publish", "get"} {
		c := newClock()
		store := &broken{Store: session.NewMemory(c.Now, 100)}
		f, b := newFlap(t, c, store), newBrowser()
		f.start(t, b, login("alice", c))
		store.on(call, func() error { return errors.New("down") })
		l := logout(c, "1", authhandlers.Revocation{Subject: "alice"})
		if err := f.Logout(t.Context(), l); err == nil || errors.Is(err, session.ErrReplayed) {
			t.Errorf("%s: %v", call, err)
		}
		store.on(call, nil)
		must(t, f.Logout(t.Context(), l))
		f.findsNone(t, b)
	}
}

func TestALogoutEndsTheLoginsBeforeIt(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	l := logout(f.clock, "1", authhandlers.Revocation{Subject: "alice"})
	f.clock.Advance(time.Second)
	f.start(t, b, login("alice", f.clock)) // signed in after the logout that comes late
	must(t, f.Logout(t.Context(), l))
	f.finds(t, b)
	// To be refreshed is not to sign in: it does not outrun the logout.
	l = logout(f.clock, "2", authhandlers.Revocation{Subject: "alice"})
	f.clock.Advance(4 * time.Minute)
	_, err := f.Fresh(t.Context(), f.finds(t, b), newProvider(f.clock).refresh)
	must(t, err)
	must(t, f.Logout(t.Context(), l))
	f.findsNone(t, b)
}

// TestALogoutOvertakesTheCallback: the provider ends the login between its answer and
// the session.
func TestALogoutOvertakesTheCallback(t *testing.T) {
	for what, r := range map[string]authhandlers.Revocation{"sid": {SessionID: "sid-alice"}, "sub": {Subject: "alice"}, "both": {SessionID: "sid-alice", Subject: "alice"}} {
		f := memoryFlap(t)
		l := login("alice", f.clock)
		must(t, f.Logout(t.Context(), logout(f.clock, "1", r)))
		w := httptest.NewRecorder()
		s, err := f.Start(t.Context(), w, newBrowser().request(), "company", l)
		if !errors.Is(err, session.ErrLoggedOut) || s != nil {
			t.Errorf("%s: %v, %v", what, s, err)
		}
		for _, set := range w.Result().Cookies() {
			if set.Name == "__Host-catflap" {
				t.Errorf("%s: a cookie all the same", what)
			}
		}
		if n, err := f.EndPerson(t.Context(), issuer, "alice"); n != 0 || err != nil {
			t.Errorf("%s: %d sessions are left, %v", what, n, err)
		}
		// Somebody else, and the same person later, may sign in.
		f.start(t, newBrowser(), login("bob", f.clock))
		f.clock.Advance(time.Second)
		again := login("alice", f.clock)
		again.Person.SessionID = "sid-new"
		f.start(t, newBrowser(), again)
	}
}

// TestALogoutDuringStart comes at the moment between the session and the look at the
// marks.
func TestALogoutDuringStart(t *testing.T) {
	c := newClock()
	store := &broken{Store: session.NewMemory(c.Now, 100)}
	f, b := newFlap(t, c, store), newBrowser()
	finds := 0
	store.on("find", func() error {
		if finds++; finds == 2 { // the first is of the browser's sessions
			must(t, f.Logout(t.Context(), logout(c, "1", authhandlers.Revocation{SessionID: "sid-alice"})))
		}
		return nil
	})
	w := httptest.NewRecorder()
	_, err := f.Start(t.Context(), w, b.request(), "company", login("alice", c))
	want(t, err, session.ErrLoggedOut)
	b.take(w)
	f.findsNone(t, b)
}

func TestSignOutEverywhere(t *testing.T) {
	server, c := startRedis(t), newClock()
	here, there := newFlap(t, c, server.store(t, "")), newFlap(t, c, server.store(t, ""))
	browsers := []*browser{newBrowser(), newBrowser(), newBrowser()}
	for _, b := range browsers {
		here.start(t, b, login("alice", c))
	}
	bob := newBrowser()
	here.start(t, bob, login("bob", c))
	n, err := there.EndPerson(t.Context(), issuer, "alice")
	if n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, b := range browsers {
		here.findsNone(t, b)
	}
	here.finds(t, bob)
	eventually(t, "the other Catflap hears", func() bool {
		return here.toldOf(func(r authhandlers.Revocation) bool { return r.Issuer == issuer && r.Subject == "alice" })
	})
}

func TestAnEndHereDoesNotWaitForTheBus(t *testing.T) {
	c := newClock()
	store := &broken{Store: session.NewMemory(c.Now, 100)}
	f, b := newFlap(t, c, store), newBrowser()
	s := f.start(t, b, login("alice", c))
	store.on("publish", func() error { return errors.New("down") })
	if err := f.End(t.Context(), s); err == nil {
		t.Error("that the others were not told is no secret")
	}
	f.findsNone(t, b)
	if !f.toldOf(ofSession(s)) {
		t.Error("sockets here live on")
	}
}

func TestForgedMessagesEndNobody(t *testing.T) {
	c := newClock()
	store := session.NewMemory(c.Now, 100)
	f := newFlap(t, c, store)
	foreign := newFlap(t, c, store, func(o *session.Options) { o.Keys = [][]byte{key(9)} })
	for _, m := range []string{"x", `{"Issuer":"https://idp.example"}`, "\x01", "\x01aaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"} {
		must(t, store.Publish(t.Context(), []byte(m)))
	}
	_, err := foreign.EndPerson(t.Context(), issuer, "alice")
	must(t, err)
	must(t, f.Logout(t.Context(), logout(c, "1", authhandlers.Revocation{Subject: "last"})))
	eventually(t, "all are read", func() bool { return f.saw(session.EventForeign) == 5 && foreign.saw(session.EventForeign) == 5 })
	if f.toldOf(func(r authhandlers.Revocation) bool { return r.Subject != "last" }) {
		t.Errorf("%+v", f.revoked)
	}
}

func TestMissedMessagesMeanToLookAnew(t *testing.T) {
	server, c := startRedis(t), newClock()
	f := newFlap(t, c, server.store(t, ""))
	server.kill()
	server.start(t)
	eventually(t, "the manager says so", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.resyncs > 0
	})
	if f.saw(session.EventMissed) == 0 {
		t.Error("not observed")
	}
}
