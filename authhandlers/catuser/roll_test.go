package catuser_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
)

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// lasting lets somebody in who stays.
func lasting(t *testing.T, h authhandlers.AuthHandler, token string) *authhandlers.AuthUserInfo {
	t.Helper()
	r := authtest.Bearer(token)
	r.Lasting = true
	u, err := h.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestWhoIsDeletedIsOut: who was deleted, renamed or given other permissions is that
// within ten seconds, with a token and with a socket.
func TestWhoIsDeletedIsOut(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*theCat)
		code   authhandlers.Code
		want   []string
	}{
		{"deleted", func(c *theCat) { c.users = c.users[1:] }, authhandlers.CodeUserGone, nil},
		{"renamed", func(c *theCat) { c.users[0].Name = "alicia" }, authhandlers.CodeUserGone, nil},
		{"another gets the name", func(c *theCat) { c.users[1].Name = "alice" }, authhandlers.CodeInvalidUserID, nil},
		{"other permissions", func(c *theCat) { c.users[0].Permissions = []string{"USERS:LIST"} }, "", []string{"USERS:LIST"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := authtest.NewClock()
			cat := newCat(clock, "alice", "bob")
			h := open(t, authtest.NewEnv(t, clock), cat, true)
			judge, _ := h.(authhandlers.LoginWatcher)
			token := cat.token(cat.users[0], nil)
			u := lasting(t, h, token)
			session := *u
			session.Session, session.Evidence = "s_1", ""
			before := judge.Generation()
			cat.change(func() { c.change(cat) })
			clock.Advance(4 * time.Second)
			eventually(t, "nobody hears of it", func() bool { return judge.Generation() != before })
			for _, open := range []*authhandlers.AuthUserInfo{u, &session} {
				again, err := judge.Rejudge(open)
				if rejected(err) != c.code || err == nil && !slices.Equal(again.Permissions, c.want) {
					t.Errorf("session %q: %+v, %v", open.Session, again, err)
				}
			}
			again, err := h.Authenticate(t.Context(), authtest.Bearer(token))
			if rejected(err) != c.code || err == nil && !slices.Equal(again.Permissions, c.want) {
				t.Errorf("the token: %+v, %v", again, err)
			}
			if _, err = judge.PresentLogin(t.Context(), &session); rejected(err) != c.code {
				t.Errorf("the session: %v", err)
			}
		})
	}
}

// TestWhereNobodyCanTell: while the Cat can't be asked, people stay for ten seconds, and
// from then on nobody is let in; that is a fault, and no refusal.
func TestWhereNobodyCanTell(t *testing.T) {
	clock := authtest.NewClock()
	cat := newCat(clock, "alice")
	h := open(t, authtest.NewEnv(t, clock), cat, false)
	judge, _ := h.(authhandlers.Rejudger)
	token := cat.token(cat.users[0], nil)
	u := lasting(t, h, token)
	before := judge.Generation()
	cat.change(func() { cat.down = errors.New("it is down") })
	clock.Advance(9 * time.Second)
	if _, err := h.Authenticate(t.Context(), authtest.Bearer(token)); err != nil {
		t.Errorf("after nine seconds: %v", err)
	}
	clock.Advance(time.Second)
	_, err := h.Authenticate(t.Context(), authtest.Bearer(token))
	if !errors.Is(err, authhandlers.ErrLapsed) || rejected(err) != "" {
		t.Errorf("after ten: %v", err)
	}
	eventually(t, "what is open is not asked about", func() bool { return judge.Generation() != before })
	if _, err := judge.Rejudge(u); !errors.Is(err, authhandlers.ErrLapsed) {
		t.Errorf("what is open: %v", err)
	}
	if ready, _ := h.(authhandlers.Prober); ready.Ready(t.Context()) == nil {
		t.Error("it is ready")
	}
	cat.change(func() { cat.down = nil })
	clock.Advance(2 * time.Second)
	if _, err := h.Authenticate(t.Context(), authtest.Bearer(token)); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

// TestAfterAReload: a new handler knows nobody yet, and does not end what is open before
// it has asked.
func TestAfterAReload(t *testing.T) {
	clock := authtest.NewClock()
	cat := newCat(clock, "alice")
	u := lasting(t, open(t, authtest.NewEnv(t, clock), cat, false), cat.token(cat.users[0], nil))
	next, _ := open(t, authtest.NewEnv(t, clock), cat, false).(authhandlers.Rejudger)
	before := next.Generation()
	_, err := next.Rejudge(u)
	if err == nil || rejected(err) != "" || errors.Is(err, authhandlers.ErrLapsed) {
		t.Errorf("before it has asked: %v", err)
	}
	eventually(t, "it does not ask", func() bool { return next.Generation() != before })
	if _, err := next.Rejudge(u); err != nil {
		t.Errorf("when it has: %v", err)
	}
}

// TestTheListIsNotAskedForInVain: a flood of tokens asks once a second at most, and
// where nobody is let in nobody is asked about.
func TestTheListIsNotAskedForInVain(t *testing.T) {
	clock := authtest.NewClock()
	cat := newCat(clock, "alice")
	h := open(t, authtest.NewEnv(t, clock), cat, false)
	judge, _ := h.(authhandlers.Rejudger)
	judge.Generation()
	if cat.lists != 0 {
		t.Error("the Cat is asked before anybody comes")
	}
	forged := signed("another secret, which is long enough too", jwtHS256, cat.claims(cat.users[0], nil))
	for range 50 {
		_, _ = h.Authenticate(t.Context(), authtest.Bearer(forged))
	}
	if cat.lists != 0 {
		t.Error("a forged token has the Cat asked")
	}
	gone := cat.token(authhandlers.CatUser{ID: "gone", Name: "gone"}, nil)
	for range 50 {
		if _, err := h.Authenticate(t.Context(), authtest.Bearer(gone)); rejected(err) != authhandlers.CodeUserGone {
			t.Fatal(err)
		}
	}
	cat.change(func() {
		if cat.lists != 1 {
			t.Errorf("asked %d times", cat.lists)
		}
	})
}
