package session_test

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

// live counts the browsers whose session still lives.
func live(t *testing.T, f *flap, browsers []*browser) (n int, newest bool) {
	t.Helper()
	for _, b := range browsers {
		_, err := f.Find(t.Context(), b.request())
		if newest = err == nil; newest {
			n++
		}
	}
	return n, newest
}

func stores(t *testing.T, c *clock) map[string]func(*testing.T) session.Store {
	t.Helper()
	return map[string]func(*testing.T) session.Store{
		"memory": func(*testing.T) session.Store { return session.NewMemory(c.Now, 20) },
		"redis":  func(t *testing.T) session.Store { return startRedis(t).store(t, "") },
	}
}

func TestTheOldestSessionsOfAPersonMakeRoom(t *testing.T) {
	c := newClock()
	for name, open := range stores(t, c) {
		t.Run(name, func(t *testing.T) {
			f := newFlap(t, c, open(t), func(o *session.Options) { o.PerPerson = 5 })
			var browsers []*browser
			first := f.start(t, newBrowser(), login("alice", c))
			for range 25 {
				c.Advance(time.Second)
				b := newBrowser()
				f.start(t, b, login("alice", c))
				browsers = append(browsers, b)
			}
			if n, newest := live(t, f, browsers); n != 5 || !newest {
				t.Errorf("%d sessions live, the newest: %v", n, newest)
			}
			if !f.toldOf(ofSession(first)) {
				t.Error("the sockets of the first session were not ended")
			}
			bob := newBrowser()
			f.start(t, bob, login("bob", c))
			if n, _ := live(t, f, []*browser{bob}); n != 1 {
				t.Error("bob can't sign in")
			}
			// To sign in again in one browser takes no other one's place.
			f.start(t, browsers[24], login("alice", c))
			if n, _ := live(t, f, browsers); n != 5 {
				t.Errorf("%d sessions live", n)
			}
		})
	}
}

func TestSignInsAtOnceStayWithinTheShare(t *testing.T) {
	c := newClock()
	for name, open := range stores(t, c) {
		t.Run(name, func(t *testing.T) {
			f := newFlap(t, c, open(t), func(o *session.Options) { o.PerPerson = 3 })
			var wg sync.WaitGroup
			for range 12 {
				wg.Go(func() {
					_, _ = f.Start(t.Context(), httptest.NewRecorder(), newBrowser().request(), "company", login("alice", c))
				})
			}
			wg.Wait()
			if n, err := f.EndPerson(t.Context(), issuer, "alice"); err != nil || n > 3 || n == 0 {
				t.Errorf("%d sessions, %v", n, err)
			}
		})
	}
}

func TestAFullStoreTakesThePersonsOwnPlace(t *testing.T) {
	c := newClock()
	f := newFlap(t, c, session.NewMemory(c.Now, 2))
	a, b := newBrowser(), newBrowser()
	f.start(t, a, login("alice", c))
	f.start(t, newBrowser(), login("bob", c))
	c.Advance(time.Second)
	f.start(t, b, login("alice", c))
	if n, newest := live(t, f, []*browser{a, b}); n != 1 || !newest {
		t.Errorf("%d of alice's sessions live, the newer: %v", n, newest)
	}
}

func TestTicketsTakeNoPlaceFromSessions(t *testing.T) {
	c := newClock()
	f := newFlap(t, c, session.NewMemory(c.Now, 2))
	alice := &authhandlers.AuthUserInfo{Issuer: issuer, Subject: "alice"}
	for _, handle := range []string{"s_x", "s_y"} {
		for range 16 {
			_, _, err := f.IssueTicket(t.Context(), session.Ticket{Session: handle, Holder: alice})
			must(t, err)
		}
	}
	_, _, err := f.IssueTicket(t.Context(), session.Ticket{Session: "s_z", Holder: alice})
	want(t, err, session.ErrTooMany)
	f.start(t, newBrowser(), login("bob", c))
	_, _, err = f.IssueTicket(t.Context(), session.Ticket{Session: "s_b", Holder: &authhandlers.AuthUserInfo{Issuer: issuer, Subject: "bob"}})
	must(t, err)
}
