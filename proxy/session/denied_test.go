package session_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

// token is whom a bearer token names that was made ago before now.
func token(c *clock, subject, sid string, ago time.Duration) *authhandlers.AuthUserInfo {
	return &authhandlers.AuthUserInfo{Issuer: issuer, Subject: subject, SessionID: sid, IssuedAt: c.Now().Add(-ago).Unix()}
}

func isDenied(t testing.TB, m interface {
	Denied(*authhandlers.AuthUserInfo) error
}, u *authhandlers.AuthUserInfo) bool {
	t.Helper()
	err := m.Denied(u)
	if _, refused := errors.AsType[*authhandlers.Rejection](err); err != nil && !refused {
		t.Fatal(err)
	}
	return err != nil
}

// TestALogoutMeansTokens: which tokens a logout ends, and for how long.
func TestALogoutMeansTokens(t *testing.T) {
	for _, c := range []struct {
		name string
		of   authhandlers.Revocation
		u    func(*clock) *authhandlers.AuthUserInfo
		want bool
	}{
		{"its sid", authhandlers.Revocation{SessionID: "s"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "alice", "s", 0) }, true},
		{"its sid, made later", authhandlers.Revocation{SessionID: "s"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "alice", "s", -time.Minute) }, true},
		{"another sid", authhandlers.Revocation{SessionID: "s"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "alice", "r", time.Minute) }, false},
		{"sid and sub", authhandlers.Revocation{SessionID: "s", Subject: "alice"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "alice", "s", time.Minute) }, true},
		{"sid, and another sub", authhandlers.Revocation{SessionID: "s", Subject: "bob"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "alice", "s", time.Minute) }, false},
		{"sid and sub, and a token without sid", authhandlers.Revocation{SessionID: "s", Subject: "alice"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "alice", "", time.Minute) }, true},
		{"the same, made after", authhandlers.Revocation{SessionID: "s", Subject: "alice"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "alice", "", -time.Minute) }, false},
		{"the same, another's", authhandlers.Revocation{SessionID: "s", Subject: "alice"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "bob", "", time.Minute) }, false},
		{"sub, made before", authhandlers.Revocation{Subject: "alice"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "alice", "s", time.Minute) }, true},
		{"sub, made after", authhandlers.Revocation{Subject: "alice"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "alice", "s", -time.Second) }, false},
		{"sub, made nobody knows when", authhandlers.Revocation{Subject: "alice"}, func(*clock) *authhandlers.AuthUserInfo {
			return &authhandlers.AuthUserInfo{Issuer: issuer, Subject: "alice"}
		}, true},
		{"another sub", authhandlers.Revocation{Subject: "alice"}, func(c *clock) *authhandlers.AuthUserInfo { return token(c, "bob", "s", time.Minute) }, false},
		{"somebody known by another claim", authhandlers.Revocation{Subject: "alice"}, func(c *clock) *authhandlers.AuthUserInfo {
			u := token(c, "alice@example.com", "", time.Minute)
			sub := "alice"
			u.Sub = &sub
			return u
		}, true},
		{"another issuer's", authhandlers.Revocation{SessionID: "s"}, func(c *clock) *authhandlers.AuthUserInfo {
			u := token(c, "alice", "s", time.Minute)
			u.Issuer = "https://other.example"
			return u
		}, false},
		{"a session, which is in the store", authhandlers.Revocation{SessionID: "s"}, func(c *clock) *authhandlers.AuthUserInfo {
			u := token(c, "alice", "s", time.Minute)
			u.Session = "s_1"
			return u
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := memoryFlap(t)
			u := c.u(f.clock)
			if isDenied(t, f, u) {
				t.Fatal("before the logout")
			}
			must(t, f.Logout(t.Context(), logout(f.clock, "1", c.of)))
			if got := isDenied(t, f, u); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			f.clock.Advance(7 * 24 * time.Hour)
			if got := isDenied(t, f, u); got != c.want {
				t.Errorf("a week later: %v, want %v", got, c.want)
			}
			f.clock.Advance(time.Hour)
			if isDenied(t, f, u) {
				t.Error("when all such tokens are dead")
			}
		})
	}
}

// TestALaterLogoutMeansMore: one that comes late takes nothing back.
func TestALaterLogoutMeansMore(t *testing.T) {
	f := memoryFlap(t)
	early := logout(f.clock, "1", authhandlers.Revocation{Subject: "alice"})
	f.clock.Advance(time.Minute)
	u := token(f.clock, "alice", "", 0)
	must(t, f.Logout(t.Context(), logout(f.clock, "2", authhandlers.Revocation{Subject: "alice"})))
	must(t, f.Logout(t.Context(), early))
	if !isDenied(t, f, u) {
		t.Error("it comes in again")
	}
}

// TestEverywhereMeansTokens, too.
func TestEverywhereMeansTokens(t *testing.T) {
	f := memoryFlap(t)
	u, later := token(f.clock, "alice", "", time.Minute), token(f.clock, "alice", "", -time.Minute)
	_, err := f.EndPerson(t.Context(), issuer, "alice")
	must(t, err)
	if !isDenied(t, f, u) || isDenied(t, f, later) {
		t.Error("not those before alone")
	}
}

// TestDeniedIsBounded: the one that ends first makes room.
func TestDeniedIsBounded(t *testing.T) {
	f := memoryFlap(t)
	ctx := t.Context()
	for i := range 1<<16 + 10 {
		f.clock.Advance(time.Millisecond)
		_, err := f.EndPerson(ctx, issuer, fmt.Sprint("person-", i))
		must(t, err)
	}
	if isDenied(t, f, token(f.clock, "person-0", "", time.Hour)) || !isDenied(t, f, token(f.clock, "person-100", "", time.Hour)) {
		t.Error("not the first made room")
	}
}

// TestOthersDeny: another Catflap, one that starts later, and one that has lost its
// connection for a while know of a logout, too.
func TestOthersDeny(t *testing.T) {
	server, c := startRedis(t), newClock()
	here, there := newFlap(t, c, server.store(t, "")), newFlap(t, c, server.store(t, ""))
	u := token(c, "alice", "s", time.Minute)
	must(t, here.Logout(t.Context(), logout(c, "1", authhandlers.Revocation{SessionID: "s"})))
	eventually(t, "the other hears", func() bool { return isDenied(t, there, u) })
	if !isDenied(t, newFlap(t, c, server.store(t, "")), u) {
		t.Error("one that starts does not know")
	}
	deaf := newFlap(t, c, &silent{server.store(t, "")})
	late := token(c, "bob", "", time.Minute)
	must(t, here.Logout(t.Context(), logout(c, "2", authhandlers.Revocation{Subject: "bob"})))
	if isDenied(t, deaf, late) {
		t.Fatal("it has heard")
	}
	err := deaf.DeniedInStore(t.Context(), late)
	if _, refused := errors.AsType[*authhandlers.Rejection](err); !refused {
		t.Errorf("who has heard nothing, and looks: %v", err)
	}
	down := &broken{Store: server.store(t, "")}
	down.on("find", func() error { return errors.New("down") })
	unsure := newFlap(t, c, down)
	if err := unsure.Denied(token(c, "carol", "", 0)); err == nil {
		t.Error("who could not read what is denied lets somebody in")
	}
	down.on("find", nil)
	eventually(t, "it has read it", func() bool { return unsure.Denied(token(c, "carol", "", 0)) == nil })
	if !isDenied(t, unsure, u) {
		t.Error("and does not know")
	}
}

// TestWhatCouldNotBeReadIsLookedUp: whoever was let stay since nobody could tell is
// looked up anew when somebody can.
func TestWhatCouldNotBeReadIsLookedUp(t *testing.T) {
	down := &broken{Store: startRedis(t).store(t, "")}
	down.on("find", func() error { return errors.New("down") })
	f := newFlap(t, newClock(), down)
	down.on("find", nil)
	eventually(t, "everybody is looked up", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.resyncs > 0
	})
	if isDenied(t, f, token(f.clock, "alice", "", 0)) {
		t.Error("nobody has signed out")
	}
}

// silent is a store whose messages never arrive.
type silent struct{ session.Store }

func (s *silent) Subscribe(ctx context.Context) (<-chan []byte, error) {
	none := make(chan []byte)
	context.AfterFunc(ctx, func() { close(none) })
	return none, nil
}
