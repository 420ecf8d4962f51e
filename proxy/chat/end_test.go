package chat

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

func TestASocketEndsWithItsCredential(t *testing.T) { inBothModes(t, tASocketEndsWithItsCredential) }

func tASocketEndsWithItsCredential(t *testing.T, set Settings) {
	l := newLab(t, set, echo)
	l.expiry.Store(l.now.Load() + int64(time.Hour))
	c := l.open(t, "/alice")
	if err := c.WriteMessage(websocket.TextMessage, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	l.now.Add(int64(time.Hour))
	moved := time.Now()
	code, reason := closedWith(t, c)
	if code != CodeSignedOut || reason == "" || time.Since(moved) > time.Second {
		t.Errorf("%d %q after %v", code, reason, time.Since(moved))
	}
}

// TestExpiriesInOrder takes out what has ended, and nothing else, whatever the
// order of coming and leaving.
func TestExpiriesInOrder(t *testing.T) {
	h := NewHub(Options{Settings: separate})
	h.looking = true // nobody but this test looks
	start := time.Unix(1000, 0)
	var all []*client
	for i := range 10000 {
		u := &authhandlers.AuthUserInfo{Expiry: start.Add(time.Duration(rand.IntN(1000)) * time.Second)}
		if i%10 == 0 {
			u.Expiry = time.Time{}
		}
		s := &client{hub: h, expiry: noExpiry}
		s.user.Store(u)
		h.watch(s)
		all = append(all, s)
	}
	for _, s := range all[:3000] {
		h.ends.remove(s)
	}
	left := 0
	for _, s := range all[3000:] {
		if !s.user.Load().Expiry.IsZero() {
			left++
		}
	}
	for now := start; now.Before(start.Add(1000 * time.Second)); now = now.Add(10 * time.Second) {
		for _, s := range h.ends.expired(now) {
			if s.user.Load().Expiry.After(now) || !s.user.Load().Expiry.After(now.Add(-10*time.Second)) || s.expiry != noExpiry {
				t.Fatalf("at %v: %v", now, s.user.Load().Expiry)
			}
			left--
		}
	}
	left -= len(h.ends.expired(start.Add(1000 * time.Second)))
	if left != 0 || len(h.ends) != 0 {
		t.Errorf("%d not taken out, %d held", left, len(h.ends))
	}
}

func TestRevokeRejudgeShutdown(t *testing.T) { inBothModes(t, tRevokeRejudgeShutdown) }

func tRevokeRejudgeShutdown(t *testing.T, set Settings) {
	l := newLab(t, set, echo)
	alice, bob, carol := l.open(t, "/alice"), l.open(t, "/bob"), l.open(t, "/carol")
	l.hub.Revoke(authhandlers.Revocation{})
	l.hub.Revoke(authhandlers.Revocation{Issuer: "i", Subject: "/alice"})
	if code, _ := closedWith(t, alice); code != CodeSignedOut {
		t.Errorf("revoked: %d", code)
	}
	l.hub.Rejudge(func(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *Closing) {
		if u.ID == "/bob" {
			return nil, &Closing{Code: CodeForbidden, Reason: "no longer allowed"}
		}
		return u, nil
	})
	if code, reason := closedWith(t, bob); code != CodeForbidden || reason != "no longer allowed" {
		t.Errorf("rejudged: %d %q", code, reason)
	}
	// A handshake that the rules before had let in is judged, too.
	var ended *EndedError
	if err := l.hub.Join(t.Context(), l.joining("/bob", nil)); !errors.As(err, &ended) || ended.Closing.Code != CodeForbidden {
		t.Errorf("joined after the judgement: %v", err)
	}
	go func() { _ = l.hub.Shutdown(t.Context()) }()
	if code, _ := closedWith(t, carol); code != websocket.CloseGoingAway {
		t.Errorf("shut down: %d", code)
	}
	if _, err := l.dial(t.Context(), l.front, "/dave"); err == nil {
		t.Error("a socket opened after the stop")
	}
	told := map[string][]int{}
	l.eventually(t, "each is told of", func() bool {
		clear(told)
		for _, e := range l.events {
			if e.Kind == EventClose {
				told[e.User.ID] = append(told[e.User.ID], e.Code)
			}
		}
		return len(told) >= 3
	})
	if want := map[string][]int{"/alice": {4401}, "/bob": {4403}, "/carol": {1001}}; !reflect.DeepEqual(told, want) {
		t.Errorf("told of as %v", told)
	}
}

// TestWhatEndsBeforeItHasOpened: access that ends while a socket waits or dials is
// not outlived by it.
func TestWhatEndsBeforeItHasOpened(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*lab)
		want func(error) bool
	}{
		"revoked": {
			func(l *lab) { l.hub.Revoke(authhandlers.Revocation{Issuer: "i", Subject: "/alice"}) },
			func(err error) bool {
				var e *EndedError
				return errors.As(err, &e) && e.Closing == closeSignedOut
			},
		},
		"judged": {
			func(l *lab) {
				l.hub.Rejudge(func(*authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, *Closing) {
					return nil, &Closing{Code: CodeForbidden, Reason: "no"}
				})
			},
			func(err error) bool {
				var e *EndedError
				return errors.As(err, &e) && e.Closing.Code == CodeForbidden
			},
		},
		"expired": {
			func(l *lab) { l.now.Add(int64(time.Hour)) },
			func(err error) bool {
				var e *EndedError
				return errors.As(err, &e) && e.Closing == closeExpired
			},
		},
		"stopped": {
			func(l *lab) { go func() { _ = l.hub.Shutdown(context.Background()) }() },
			func(err error) bool { return errors.Is(err, ErrStopping) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, shared, echo)
			dialling := make(chan struct{}, 2)
			results := make(chan error, 2)
			for range 2 { // one dials, one waits for its turn
				j := l.joining("/alice", nil)
				j.User.Expiry = time.Unix(0, l.now.Load()).Add(time.Minute)
				j.Dial = func(ctx context.Context) (*websocket.Conn, error) {
					dialling <- struct{}{}
					<-ctx.Done()
					return nil, ctx.Err()
				}
				go func() { results <- l.hub.Join(t.Context(), j) }()
			}
			<-dialling
			l.eventually(t, "the other waits", func() bool { return l.places("/alice") == 2 })
			c.end(l)
			for range 2 {
				if err := <-results; !c.want(err) {
					t.Errorf("%v", err)
				}
			}
			if len(dialling) != 0 {
				t.Error("the other dialled")
			}
		})
	}
}

// TestWhatEndsDuringTheHandshake: the Cat's socket is open, and the client's just
// opens; it can read why it is closed.
func TestWhatEndsDuringTheHandshake(t *testing.T) { inBothModes(t, tWhatEndsDuringTheHandshake) }

func tWhatEndsDuringTheHandshake(t *testing.T, set Settings) {
	l := newLab(t, set, echo)
	l.upgrading = func() {
		l.hub.Revoke(authhandlers.Revocation{Issuer: "i", Subject: "/alice"})
		time.Sleep(50 * time.Millisecond)
	}
	if code, reason := closedWith(t, l.open(t, "/alice")); code != CodeSignedOut {
		t.Errorf("%d %s", code, reason)
	}
}

// TestOurCloseCodeIsKept: the Cat answers our close at once, and its answer must not
// reach the client instead of the reason.
func TestOurCloseCodeIsKept(t *testing.T) { inBothModes(t, tOurCloseCodeIsKept) }

func tOurCloseCodeIsKept(t *testing.T, set Settings) {
	l := newLab(t, set, echo)
	for range 50 {
		c := l.open(t, fmt.Sprintf("/%d", rand.Uint64()))
		l.hub.Revoke(authhandlers.Revocation{Issuer: "i"})
		if code, reason := closedWith(t, c); code != CodeSignedOut || reason != closeSignedOut.Reason {
			t.Fatalf("%d %q", code, reason)
		}
	}
}

// TestShutdownIsBounded: a client that reads nothing and answers nothing is cut.
func TestShutdownIsBounded(t *testing.T) {
	l := newLab(t, separate, func(c *websocket.Conn) {
		for c.WriteMessage(websocket.BinaryMessage, make([]byte, 1<<20)) == nil {
		}
	})
	l.open(t, "/alice")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := l.hub.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 2*time.Second || l.hub.Count() != 0 {
		t.Errorf("%d open after %v", l.hub.Count(), took)
	}
	l.closed(t, 1, websocket.CloseGoingAway, "")
}
