package session_test

import (
	"testing"

	"github.com/catflap/catflap/proxy/session"
)

func TestKeysTurnOver(t *testing.T) {
	f := memoryFlap(t)
	old, newer := newBrowser(), newBrowser()
	f.start(t, old, login("alice", f.clock))
	signedIn := func(b *browser) bool { _, err := f.Find(t.Context(), b.request()); return err == nil }

	must(t, f.Rekey([][]byte{key(1), key(2)})) // behind the old one: it opens
	must(t, f.Rekey([][]byte{key(2), key(1)})) // first: it seals
	f.start(t, newer, login("bob", f.clock))
	if !signedIn(old) || !signedIn(newer) || f.resyncs != 0 {
		t.Error("somebody was signed out while the keys turned over")
	}
	must(t, f.Rekey([][]byte{key(2)}))
	if signedIn(old) || !signedIn(newer) {
		t.Error("a session of the key that was removed, or none of the new one's")
	}
	if f.resyncs != 1 {
		t.Errorf("the sockets were looked up again %d times", f.resyncs)
	}
	if err := f.Rekey([][]byte{{1, 2, 3}}); err == nil || !signedIn(newer) {
		t.Error("a short key:", err)
	}
	must(t, f.Rekey([][]byte{key(2)})) // the same: nothing happens
	if !signedIn(newer) || f.resyncs != 1 {
		t.Error("a reload with the same keys ended a session")
	}
}

func TestALeakedKeyIsReplaced(t *testing.T) {
	c := newClock()
	store := session.NewMemory(c.Now, 2)
	f := newFlap(t, c, store)
	alice := newBrowser()
	s := f.start(t, alice, login("alice", c))
	f.start(t, newBrowser(), login("bob", c))
	state, err := f.Seal(session.Attempt{Handler: "company", Browser: s.Browser, ReturnTo: "/"})
	must(t, err)
	shown, err := f.DisplayToken(s, "Alice", nil)
	must(t, err)

	must(t, f.Rekey([][]byte{key(9)}))
	_, err = f.Find(t.Context(), alice.request())
	want(t, err, session.ErrNoSession)
	_, err = f.ByHandle(t.Context(), s.Handle)
	want(t, err, session.ErrNoSession)
	_, err = f.Open(alice.request(), state.State)
	want(t, err, session.ErrAttemptBad)
	if f.DisplayMatches(shown, s) {
		t.Error("a display token of the key that leaked")
	}
	if f.resyncs != 1 || store.Len() != 0 {
		t.Errorf("%d looks at the sockets; %d entries that nobody can read take places", f.resyncs, store.Len())
	}
	f.start(t, alice, login("alice", c))
}

func TestAProcessKeepsItsOwnKey(t *testing.T) {
	f := memoryFlap(t, func(o *session.Options) { o.Keys = nil })
	b := newBrowser()
	f.start(t, b, login("alice", f.clock))
	must(t, f.Rekey(nil))
	if _, err := f.Find(t.Context(), b.request()); err != nil {
		t.Error("a reload without keys ended a session:", err)
	}
	must(t, f.Rekey([][]byte{key(1)}))
	_, err := f.Find(t.Context(), b.request())
	want(t, err, session.ErrNoSession)
	f.start(t, b, login("alice", f.clock))
	must(t, f.Rekey(nil)) // taken out again: one of its own, and not the old one
	_, err = f.Find(t.Context(), b.request())
	want(t, err, session.ErrNoSession)
}
