package session_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

// TestWhatRedisSees: neither a name nor a token, and nothing to make a cookie of.
func TestWhatRedisSees(t *testing.T) {
	server, c := startRedis(t), newClock()
	f, b := newFlap(t, c, server.store(t, "")), newBrowser()
	wire := server.client().Subscribe(t.Context(), "catflap:revocations")
	defer wire.Close()
	if _, err := wire.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := login("planted-subject", c)
	l.Person.Name, l.Person.Groups = "planted-name", []string{"planted-group"}
	s := f.start(t, b, l)
	a, err := f.Seal(session.Attempt{Browser: s.Browser, ReturnTo: "/"})
	must(t, err)
	_, err = f.Spend(t.Context(), a.State)
	must(t, err)
	ticket, _, err := f.IssueTicket(t.Context(), session.Ticket{Person: &l.Person})
	must(t, err)
	must(t, f.Logout(t.Context(), logout(c, "planted-jti", authhandlers.Revocation{Subject: "planted-subject-2", SessionID: "planted-sid"})))
	seen := server.dump(t)
	m, err := wire.ReceiveMessage(t.Context())
	must(t, err)
	seen += m.Payload
	if len(seen) < 1000 {
		t.Fatalf("only %d bytes: is this all?", len(seen))
	}
	for _, secret := range []string{
		"planted", issuer, "idp.example", "company", s.Handle, s.Browser, a.State, a.Verifier, ticket, strings.TrimPrefix(ticket, "cft_"),
		b.cookies["__Host-catflap"], b.cookies["__Host-catflap-browser"],
	} {
		if strings.Contains(seen, secret) {
			t.Errorf("Redis sees %q", secret)
		}
	}
}

func TestTamperedRecords(t *testing.T) {
	ctx, c := t.Context(), newClock()
	store := session.NewMemory(c.Now, 100)
	f, alice, bob := newFlap(t, c, store), newBrowser(), newBrowser()
	watched := &recorder{Store: store}
	g := newFlap(t, c, watched)
	g.start(t, alice, login("alice", c))
	keyA := watched.last
	g.start(t, bob, login("bob", c))
	keyB := watched.last
	a, err := store.Get(ctx, keyA)
	must(t, err)
	b, err := store.Get(ctx, keyB)
	must(t, err)
	must(t, store.Replace(ctx, keyA, b)) // somebody else's record in one's own place
	f.findsNone(t, alice)
	for i := range a {
		changed := append([]byte(nil), a...)
		changed[i] ^= 0x80
		must(t, store.Replace(ctx, keyA, changed))
		if _, err := f.Find(ctx, alice.request()); !errors.Is(err, session.ErrNoSession) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for n := range a {
		must(t, store.Replace(ctx, keyA, a[:n]))
		if _, err := f.Find(ctx, alice.request()); !errors.Is(err, session.ErrNoSession) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if f.saw(session.EventUnreadable) == 0 {
		t.Error("not observed")
	}
	must(t, store.Replace(ctx, keyA, a))
	f.finds(t, alice)
	// A ticket's record is no session's, and in no other place a ticket's.
	_, _, err = g.IssueTicket(ctx, session.Ticket{Session: "s_x"})
	must(t, err)
	ticket, err := store.Get(ctx, watched.last)
	must(t, err)
	must(t, store.Replace(ctx, keyA, ticket))
	f.findsNone(t, alice)
}

func TestKeyRotation(t *testing.T) {
	c := newClock()
	store := session.NewMemory(c.Now, 100)
	with := func(keys ...[]byte) *flap { return newFlap(t, c, store, func(o *session.Options) { o.Keys = keys }) }
	before, b := with(key(1)), newBrowser()
	s := before.start(t, b, login("alice", c))
	a, err := before.Seal(session.Attempt{ReturnTo: "/x", Browser: before.named(b)})
	must(t, err)
	during := with(key(2), key(1))
	if during.finds(t, b).Handle != s.Handle {
		t.Error("another session")
	}
	_, err = during.Open(b.request(), a.State)
	must(t, err)
	_, err = during.ByHandle(t.Context(), s.Handle) // an index of the old key
	must(t, err)
	c.Advance(4 * time.Minute)
	_, err = during.Fresh(t.Context(), s, newProvider(c).refresh) // sealed anew
	must(t, err)
	with(key(2)).finds(t, b)
	before.findsNone(t, b)
	n, err := during.EndPerson(t.Context(), issuer, "alice")
	if n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	during.findsNone(t, b)
	_, err = with(key(2)).Open(b.request(), a.State)
	want(t, err, session.ErrAttemptBad)
	// Without keys each process has one of its own.
	if s, err := with().Start(t.Context(), httptest.NewRecorder(), b.request(), "company", login("alice", c)); err != nil {
		t.Error(s, err)
	}
	with().findsNone(t, b)
}
