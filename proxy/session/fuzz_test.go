package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/proxy/session"
)

// FuzzCookie: whatever a stranger sends as cookies, it is no session unless the id is
// in it, and never a fault.
func FuzzCookie(f *testing.F) {
	c := newClock()
	flap := newFlap(f, c, session.NewMemory(c.Now, 100))
	b := newBrowser()
	flap.start(f, b, lasting("alice", c))
	id := b.cookies["__Host-catflap"]
	for _, seed := range []string{
		"", "__Host-catflap=ID", `__Host-catflap="ID"`, "__Host-catflap=ID; __Host-catflap=ID", "a=b\n__Host-catflap=ID",
		"__Host-catflap=ID\n__Host-catflap=x", "__Host-catflap", "=;=;;", "__Host-catflap=\x00", "__Host-catflap-browser=ID", "$Version=1; __Host-catflap=ID",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &http.Request{Header: http.Header{"Cookie": strings.Split(strings.ReplaceAll(text, "ID", id), "\n")}}
		s, err := flap.Find(t.Context(), r)
		switch {
		case err == nil && (!strings.Contains(text, "ID") || s.Login.Person.Subject != "alice"):
			t.Errorf("%q is a session", text)
		case err != nil && (!errors.Is(err, session.ErrNoSession) || s != nil):
			t.Errorf("%q: %v", text, err)
		}
		if names := flap.KnownBrowser(r); len(names) > 64 || slices.Contains(names, "") {
			t.Errorf("%q: browser %q", text, names)
		}
		if choice := flap.Choice(r); len(choice) > 31 || strings.ContainsAny(choice, "/<>\"\r\n;") {
			t.Errorf("%q: choice %q", text, choice)
		}
		_ = flap.HasCookie(r)
	})
}

// FuzzOpen: no state but ours opens, and ours has one text.
func FuzzOpen(f *testing.F) {
	c := newClock()
	flap := newFlap(f, c, session.NewMemory(c.Now, 100))
	b := newBrowser()
	a, err := flap.Seal(session.Attempt{Handler: "company", ReturnTo: "/", Browser: flap.named(b)})
	must(f, err)
	for _, seed := range []string{"STATE", "", "STATE=", "STATE\n", "STATE.STATE", "AQ", "AAAAAAAAAAAAAAAA", a.State[:20], strings.Repeat("A", 3000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := flap.Open(b.request(), strings.ReplaceAll(text, "STATE", a.State))
		if text == "STATE" {
			if err != nil || got.Login.Nonce != a.Nonce {
				t.Error(got, err)
			}
			return
		}
		if !errors.Is(err, session.ErrAttemptBad) || got != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	})
}

// FuzzDisplayToken: a token that matches is the one that was made.
func FuzzDisplayToken(f *testing.F) {
	c := newClock()
	flap := newFlap(f, c, session.NewMemory(c.Now, 100))
	s := flap.start(f, newBrowser(), lasting("alice", c))
	token, err := flap.DisplayToken(s, "alice", shown())
	must(f, err)
	parts := strings.Split(token, ".")
	for _, seed := range []string{"TOKEN", "", "a.b.c", "TOKEN.", parts[0] + "." + parts[1] + ".", parts[0] + ".." + parts[2], "TOKEN=", strings.Repeat(".", 5000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		given := strings.ReplaceAll(text, "TOKEN", token)
		matches := flap.DisplayMatches(given, s)
		if matches != (given == token) {
			t.Errorf("%q: %v", text, matches)
		}
		if session.IsDisplayToken(given) && (strings.Count(given, ".") != 2 || !strings.HasPrefix(given, parts[0]+".")) {
			t.Errorf("%q has the mark", text)
		}
	})
}

// FuzzTicket: nothing but a ticket is one.
func FuzzTicket(f *testing.F) {
	c := newClock()
	flap := newFlap(f, c, session.NewMemory(c.Now, 100))
	for _, seed := range []string{"", "cft_", "cft_" + strings.Repeat("A", 43), "cft_" + strings.Repeat("A", 42) + "\r"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := flap.RedeemTicket(t.Context(), text); !errors.Is(err, session.ErrNoSession) || got != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		if session.IsTicket(text) && len(text) != 47 {
			t.Errorf("%q", text)
		}
	})
}

// TestATicketIsNoDisplayToken and the other way round: each carrier has one meaning.
func TestATicketIsNoDisplayToken(t *testing.T) {
	f, b := memoryFlap(t), newBrowser()
	s := f.start(t, b, lasting("alice", f.clock))
	token, err := f.DisplayToken(s, "alice", shown())
	must(t, err)
	ticket, _, err := f.IssueTicket(t.Context(), session.Ticket{Session: s.Handle})
	must(t, err)
	if session.IsTicket(token) || session.IsDisplayToken(ticket) {
		t.Error("one is taken for the other")
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-catflap", Value: strings.TrimPrefix(ticket, "cft_")})
	_, err = f.Find(t.Context(), r)
	want(t, err, session.ErrNoSession)
}
