package chat

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// rightsLab is a lab whose people have the rights of the session that they came by:
// high or low.
type rightsLab struct {
	*lab
	cat  *fakeCat
	high atomic.Uint64
}

func newRightsLab(t *testing.T, set Settings) *rightsLab {
	t.Helper()
	l := &rightsLab{}
	l.high.Store(uint64(cat.All))
	l.lab, l.cat = newCatLab(t, Options{Settings: set, Rights: func(u *authhandlers.AuthUserInfo) cat.Permissions {
		if u.Session == "high" {
			return cat.Permissions(l.high.Load())
		}
		return cat.Base
	}})
	return l
}

func (l *rightsLab) expect(t *testing.T, w *websocket.Conn, text string, within cat.Permissions, sockets int) {
	t.Helper()
	ask(t, w, text)
	if f := answer(t, w); f.Type != "chat" || f.Content != text {
		t.Errorf("%s is answered %+v", text, f)
	}
	if got := cat.Permissions(l.within.Load()); got != within {
		t.Errorf("%s was said within %v", text, got.Names())
	}
	if ever, _ := l.cat.sockets("/alice"); ever != sockets {
		t.Errorf("%d sockets at the Cat when %s was said, want %d", ever, text, sockets)
	}
}

// TestWhoSharesASocketHasItsRights: the socket at the Cat never has more than each
// client, nobody is closed for that, and more rights come back when it is free.
func TestWhoSharesASocketHasItsRights(t *testing.T) {
	l := newRightsLab(t, shared)
	high := l.open(t, "/alice?session=high")
	l.expect(t, high, "alone", cat.All, 1)
	low := l.open(t, "/alice?session=low")
	l.expect(t, low, "with fewer", cat.Base, 2)
	if f := answer(t, high); f.Content != "with fewer" {
		t.Errorf("the other client hears %+v", f)
	}
	leave(low)
	l.eventually(t, "one is left", func() bool { return l.places("/alice") == 1 })
	l.expect(t, high, "alone again", cat.Base, 2)
	leave(high)
	l.eventually(t, "nobody is left", func() bool { return l.places("/alice") == 0 })
	high = l.open(t, "/alice?session=high")
	l.expect(t, high, "anew", cat.All, 3)
}

func TestMoreRightsShareWhatThereIs(t *testing.T) {
	l := newRightsLab(t, shared)
	l.expect(t, l.open(t, "/alice?session=low"), "first", cat.Base, 1)
	l.expect(t, l.open(t, "/alice?session=high"), "second", cat.Base, 1)
}

// TestRightsThatFall: new rules reach the socket that is open at the Cat.
func TestRightsThatFall(t *testing.T) {
	nobody := func(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *Closing) { return u, nil }
	t.Run("shared", func(t *testing.T) {
		l := newRightsLab(t, shared)
		w := l.open(t, "/alice?session=high")
		l.expect(t, w, "before", cat.All, 1)
		l.hub.Rejudge(nobody)
		l.expect(t, w, "nothing has changed", cat.All, 1)
		l.high.Store(uint64(cat.Base))
		l.hub.Rejudge(nobody)
		l.expect(t, w, "after", cat.Base, 2)
		l.high.Store(uint64(cat.All))
		l.hub.Rejudge(nobody)
		l.expect(t, w, "more again", cat.Base, 2)
	})
	t.Run("lingering", func(t *testing.T) {
		set := shared
		set.Linger = time.Minute
		l := newRightsLab(t, set)
		w := l.open(t, "/alice?session=high")
		l.expect(t, w, "before", cat.All, 1)
		leave(w)
		l.eventually(t, "nobody is left", func() bool { return l.places("/alice") == 0 })
		l.high.Store(uint64(cat.Base))
		l.hub.Rejudge(nobody)
		l.eventually(t, "nothing is open with more", func() bool {
			_, now := l.cat.sockets("/alice")
			return now == 0 || cat.Permissions(l.within.Load()) == cat.Base
		})
	})
	t.Run("separate", func(t *testing.T) {
		l := newRightsLab(t, separate)
		high := l.open(t, "/alice?session=high")
		l.expect(t, high, "before", cat.All, 1)
		l.high.Store(uint64(cat.Base))
		l.hub.Rejudge(nobody)
		if code, reason := closedWith(t, high); code != websocket.CloseServiceRestart {
			t.Errorf("closed with %d %q", code, reason)
		}
	})
}
