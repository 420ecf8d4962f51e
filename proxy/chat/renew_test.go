package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

var errRejected error = &authhandlers.Rejection{Code: authhandlers.CodeTokenExpired}

// renewed is the same person with more time.
func renewed(u *authhandlers.AuthUserInfo, expiry time.Time) *authhandlers.AuthUserInfo {
	next := *u
	next.Expiry = expiry
	return &next
}

// TestEachEndsWithItsOwnAccess: of three subscribers of one person one has a token that
// ends, and one a session that is ended.
func TestEachEndsWithItsOwnAccess(t *testing.T) {
	l, _ := newCatLab(t, Options{Settings: shared})
	open := func(query string, expiry time.Duration) *websocket.Conn {
		l.expiry.Store(0)
		if expiry > 0 {
			l.expiry.Store(l.now.Load() + int64(expiry))
		}
		return l.open(t, "/alice?"+query)
	}
	token, one, two := open("", time.Hour), open("session=one", 0), open("session=two&id=R2", 0)
	l.now.Add(int64(time.Hour))
	if code, reason := closedWith(t, token); code != CodeSignedOut || reason != closeExpired.Reason {
		t.Errorf("%d %s", code, reason)
	}
	l.hub.Revoke(authhandlers.Revocation{Session: "one"})
	if code, reason := closedWith(t, one); code != CodeSignedOut || reason != closeSignedOut.Reason {
		t.Errorf("%d %s", code, reason)
	}
	ask(t, two, "still here")
	if f := answer(t, two); f.Content != "still here" {
		t.Errorf("%+v", f)
	}
	l.eventually(t, "one is left", func() bool { return l.hub.Count() == 1 })
	if infos := l.hub.Sockets(info("/alice")); len(infos) != 1 || infos[0].Session != "two" || infos[0].ID != "R2" {
		t.Errorf("%+v", infos)
	}
}

// TestASessionIsRenewed before its end, and the socket goes on; what the answer is
// decides.
func TestASessionIsRenewed(t *testing.T) { inBothModes(t, aSessionIsRenewed) }

func aSessionIsRenewed(t *testing.T, set Settings) {
	var l *lab
	var asked atomic.Int64
	o := Options{Settings: set, Renew: func(_ context.Context, u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
		asked.Add(1)
		switch u.Session {
		case "good":
			return renewed(u, u.Expiry.Add(time.Hour)), nil
		case "forever":
			return renewed(u, time.Time{}), nil
		case "ended":
			return nil, fmt.Errorf("the store says: %w", errRejected)
		case "other":
			next := renewed(u, u.Expiry.Add(time.Hour))
			next.ID = "/mallory"
			return next, nil
		}
		return nil, errors.New("the store can't be reached")
	}}
	l, _ = newCatLab(t, o)
	l.expiry.Store(l.now.Load() + int64(time.Hour))
	sockets := map[string]*websocket.Conn{}
	for _, session := range []string{"good", "forever", "ended", "other", "fault"} {
		sockets[session] = l.open(t, "/"+session+"?session="+session)
	}
	token := l.open(t, "/token")
	time.Sleep(2 * expiryTick)
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times an hour before", n)
	}
	l.now.Add(int64(time.Hour - 30*time.Second))
	for session, want := range map[string]string{"ended": closeSessionOver.Reason, "other": closeOther.Reason} {
		if code, reason := closedWith(t, sockets[session]); code != CodeSignedOut || reason != want {
			t.Errorf("%s: %d %s", session, code, reason)
		}
	}
	l.eventually(t, "all were asked for", func() bool { return asked.Load() >= 5 && !l.isAsking() })
	l.eventually(t, "four are open", func() bool { return l.hub.Count() == 4 })
	l.now.Add(int64(6 * time.Second))
	l.eventually(t, "the fault is asked for again", func() bool { return asked.Load() >= 6 })
	l.now.Add(int64(time.Minute))
	for _, c := range []*websocket.Conn{sockets["fault"], token} {
		if code, reason := closedWith(t, c); code != CodeSignedOut || reason != closeExpired.Reason {
			t.Errorf("%d %s", code, reason)
		}
	}
	for _, session := range []string{"good", "forever"} {
		ask(t, sockets[session], "hello")
		if f := answer(t, sockets[session]); f.Content != "hello" {
			t.Errorf("%s: %+v", session, f)
		}
	}
}

// isAsking reports whether a session is being asked for: when it is asked for again is
// reckoned from the end of that.
func (l *lab) isAsking() bool {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	for s := range l.hub.clients {
		if s.asking {
			return true
		}
	}
	return false
}

// TestResync asks for every session, few at a time, and closes those that are no more.
func TestResync(t *testing.T) {
	var now, most, asked atomic.Int64
	var ended atomic.Bool
	l, _ := newCatLab(t, Options{Settings: shared, Renew: func(_ context.Context, u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
		n := now.Add(1)
		defer now.Add(-1)
		asked.Add(1)
		for most.Load() < n && !most.CompareAndSwap(most.Load(), n) {
		}
		time.Sleep(5 * time.Millisecond)
		if ended.Load() && strings.HasSuffix(u.Session, "7") {
			return nil, errRejected
		}
		return u, nil
	}})
	const sessions = 30
	for i := range sessions {
		l.open(t, fmt.Sprint("/alice?session=s", i))
	}
	l.open(t, "/alice")
	l.eventually(t, "all are open", func() bool { return l.hub.Count() == sessions+1 })
	l.hub.Resync()
	l.eventually(t, "all are asked for", func() bool { return asked.Load() == sessions && now.Load() == 0 })
	if most.Load() > renewers {
		t.Errorf("%d at once", most.Load())
	}
	ended.Store(true)
	l.hub.Resync()
	l.eventually(t, "three are closed", func() bool { return asked.Load() == 2*sessions && l.hub.Count() == sessions+1-3 })
}

// TestResyncDuringAnAnswer asks once more where an answer was already under way: the
// session may have ended after the answer was made.
func TestResyncDuringAnAnswer(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan error)
	l, _ := newCatLab(t, Options{Settings: shared, Renew: func(_ context.Context, u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
		asked <- struct{}{}
		return u, <-answer
	}})
	w := l.open(t, "/alice?session=s")
	l.eventually(t, "it is open", func() bool { return l.hub.Count() == 1 })
	wait := func() {
		select {
		case <-asked:
		case <-time.After(30 * time.Second):
			t.Fatal("never asked")
		}
	}
	l.hub.Resync()
	wait()
	l.hub.Resync()
	l.hub.Resync()
	answer <- nil
	wait()
	answer <- errRejected
	if code, reason := closedWith(t, w); code != CodeSignedOut || reason != closeSessionOver.Reason {
		t.Errorf("%d %s", code, reason)
	}
}

// TestANewToken keeps the socket and never reaches the Cat.
func TestANewToken(t *testing.T) { inBothModes(t, aNewToken) }

func aNewToken(t *testing.T, set Settings) {
	var l *lab
	o := Options{Settings: set, Reauthenticate: func(_ context.Context, u *authhandlers.AuthUserInfo, token string) (*authhandlers.AuthUserInfo, error) {
		switch token {
		case "good":
			return renewed(u, time.Unix(0, l.now.Load()).Add(2*time.Hour)), nil
		case "other":
			return &authhandlers.AuthUserInfo{ID: "/mallory"}, nil
		case "forbidden":
			return nil, &EndedError{Closing{Code: CodeForbidden, Reason: "you may no longer chat"}}
		case "bad":
			return nil, errRejected
		}
		return nil, errors.New("the keys can't be fetched")
	}}
	l, c := newCatLab(t, o)
	l.expiry.Store(l.now.Load() + int64(time.Hour))
	w := l.open(t, "/alice")
	send := func(c *websocket.Conn, text string) {
		if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Error(err)
		}
	}
	read := func() string {
		_ = w.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, p, err := w.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		return string(p)
	}
	send(w, ` {"type" : "catflap.token", "token":"good"}`)
	if got := read(); !strings.HasPrefix(got, `{"type":"catflap.token","ok":true,"expires_at":"`) {
		t.Errorf("%s", got)
	}
	send(w, `{"type":"catflap.token","token":"unknown"}`)
	if got := read(); !strings.HasPrefix(got, `{"type":"catflap.token","ok":false,"error":"`) {
		t.Errorf("%s", got)
	}
	l.now.Add(int64(90 * time.Minute)) // the first token has ended
	time.Sleep(2 * expiryTick)
	ask(t, w, "still here")
	if f := answer(t, w); f.Content != "still here" {
		t.Errorf("%+v", f)
	}
	c.mu.Lock()
	if len(c.heard) != 1 {
		t.Errorf("the Cat heard %v", c.heard)
	}
	c.mu.Unlock()
	l.expiry.Store(0)
	for frame, want := range map[string]Closing{
		`{"type":"catflap.token","token":"bad"}`:                                        closeRefused,
		`{"type":"catflap.token","token":"other"}`:                                      closeOther,
		`{"type":"catflap.token","token":"forbidden"}`:                                  {Code: CodeForbidden, Reason: "you may no longer chat"},
		`{"type":"catflap.token"}`:                                                      closeBadToken,
		`{"type":"catflap.token","token":`:                                              closeBadToken,
		`{"type":"catflap.token","token":"` + strings.Repeat("x", maxTokenFrame) + `"}`: closeBadToken,
	} {
		w := l.open(t, "/bob")
		send(w, frame)
		if code, reason := closedWith(t, w); code != want.Code || reason != want.Reason {
			t.Errorf("%.50s: %d %s", frame, code, reason)
		}
		_ = w.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.heard) != 1 {
		t.Errorf("the Cat heard %v", c.heard)
	}
}
