package chat

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// TestWhatHasEndedMeanwhile: between the look at a credential and the place, nothing
// that ends an access is missed, and nothing of before is held against anybody.
func TestWhatHasEndedMeanwhile(t *testing.T) {
	inBothModes(t, func(t *testing.T, set Settings) {
		l := newLab(t, set, echo)
		join := func(since Mark, user string) error {
			j := l.joining(user, nil)
			j.Since = since
			return l.hub.Join(t.Context(), j)
		}
		ended := func(err error, want Closing) {
			t.Helper()
			if e, ok := errors.AsType[*EndedError](err); !ok || e.Closing != want {
				t.Errorf("%v, want %v", err, want)
			}
		}
		alright := func(err error) {
			t.Helper()
			if _, ok := errors.AsType[*UpgradeError](err); !ok { // nobody is there
				t.Error(err)
			}
		}
		before := l.hub.Mark()
		alright(join(before, "/alice"))
		l.hub.Revoke(authhandlers.Revocation{Issuer: "i", Subject: "/alice"})
		ended(join(before, "/alice"), closeSignedOut)
		alright(join(before, "/bob"))
		alright(join(l.hub.Mark(), "/alice"))
		alright(join(Mark{}, "/alice"))
		if c := l.hub.Revoked(before, info("/alice")); c == nil || *c != closeSignedOut {
			t.Errorf("a request: %v", c)
		}

		before = l.hub.Mark()
		no := Closing{Code: CodeForbidden, Reason: "no"}
		l.hub.Rejudge(func(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *Closing) {
			if u.ID == "/alice" {
				return nil, &no
			}
			return u, nil
		})
		ended(join(before, "/alice"), no)
		alright(join(before, "/bob"))
		alright(join(l.hub.Mark(), "/alice")) // the caller has judged by these rules

		before = l.hub.Mark()
		for i := range maxLately + 1 {
			l.hub.Revoke(authhandlers.Revocation{Issuer: "i", Subject: fmt.Sprint(i)})
		}
		ended(join(before, "/bob"), closeForgotten)
		alright(join(l.hub.Mark(), "/bob"))
	})
}

// TestConfirm: what is known only elsewhere is asked for when the place is taken.
func TestConfirm(t *testing.T) {
	down := errors.New("down")
	answer := error(nil)
	l := newLabOf(t, Options{Settings: shared, Confirm: func(context.Context, *authhandlers.AuthUserInfo) error { return answer }}, echo)
	c := l.open(t, "/alice")
	ask(t, c, "hello")
	answer = &authhandlers.Rejection{Code: "signed_out"}
	if e, ok := errors.AsType[*EndedError](l.hub.Join(t.Context(), l.joining("/alice", nil))); !ok || e.Closing != closeSignedOut {
		t.Error("a refusal is none")
	}
	answer = down
	if e, ok := errors.AsType[*UnsureError](l.hub.Join(t.Context(), l.joining("/alice", nil))); !ok || !errors.Is(e, down) {
		t.Error("a fault is none")
	}
	if n := l.places("/alice"); n != 1 {
		t.Errorf("%d places", n)
	}
	ask(t, c, "still here")
}

// TestATokenIsRevokedWhileItIsLookedAt: a new token whose session ends before the socket
// has taken it ends the socket.
func TestATokenIsRevokedWhileItIsLookedAt(t *testing.T) {
	var hub *Hub
	l := newLabOf(t, Options{Settings: shared, Reauthenticate: func(_ context.Context, u *authhandlers.AuthUserInfo, _ string) (*authhandlers.AuthUserInfo, error) {
		next := *u
		next.SessionID = "new"
		hub.Revoke(authhandlers.Revocation{Issuer: "i", SessionID: "new"})
		return &next, nil
	}}, echo)
	hub = l.hub
	c := l.open(t, "/alice")
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"type":"catflap.token","token":"x"}`)); err != nil {
		t.Fatal(err)
	}
	if code, _ := closedWith(t, c); code != CodeSignedOut {
		t.Errorf("closed with %d", code)
	}
}

// TestTwoPeopleOfOneID: two issuers' people under one id at the Cat share neither a room
// nor what was missed. The Cat has one socket for them: the newer one's.
func TestTwoPeopleOfOneID(t *testing.T) {
	said := make(chan string, 10)
	l := newLab(t, shared, func(c *websocket.Conn) {
		for {
			kind, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			said <- string(p)
			if string(p) == "answer me" {
				_ = c.WriteMessage(kind, []byte("the answer"))
			}
		}
	})
	other := func(id string) Joining {
		j := l.joining("/alice", nil)
		j.User.Issuer = "another"
		j.ID = id
		return j
	}
	first := l.open(t, "/alice")
	if err := first.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	<-said
	refused := Closing{Code: CodeSignedOut, Reason: "no longer"}
	l.hub.mu.Lock()
	mine := l.hub.people[info("/alice").Key()]
	l.hub.mu.Unlock()
	if err := l.hub.Join(t.Context(), other("x")); err == nil {
		t.Fatal("the other has no client in this test")
	}
	if code, _ := closedWith(t, first); code != closeChanged.Code {
		t.Errorf("the first is closed with %d", code)
	}
	l.hub.mu.Lock()
	if p := l.hub.people[other("").User.Key()]; p == nil || p == mine || p.place != mine.place {
		t.Error("the two are one person, or don't take turns")
	}
	l.hub.mu.Unlock()
	l.hub.Rejudge(func(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *Closing) { return nil, &refused })
	l.eventually(t, "all is forgotten, the lines that were kept too", func() bool {
		l.hub.mu.Lock()
		defer l.hub.mu.Unlock()
		return len(l.hub.people) == 0 && len(l.hub.places) == 0
	})
}

// TestRejudgeEndsWhatLingers: an upstream that is kept for somebody who is away ends with
// their access.
func TestRejudgeEndsWhatLingers(t *testing.T) {
	long := shared
	long.Linger = time.Hour
	l := newLab(t, long, echo)
	c := l.open(t, "/alice")
	ask(t, c, "hello")
	_ = c.Close()
	l.eventually(t, "it lingers", func() bool { return l.hub.Stats().Lingering == 1 })
	l.hub.Rejudge(func(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *Closing) { return u, nil })
	if n := l.hub.Stats().Lingering; n != 1 {
		t.Errorf("%d linger", n)
	}
	l.hub.Rejudge(func(*authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *Closing) {
		return nil, &Closing{Code: CodeSignedOut, Reason: "no longer"}
	})
	l.eventually(t, "it ends", func() bool { return l.hub.Stats().Lingering == 0 && l.hub.Stats().CatOpen == 0 })
}
