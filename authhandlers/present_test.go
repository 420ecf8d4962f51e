package authhandlers_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// watcher is a handler through which people sign in, and which knows at each moment what
// they may do.
type watcher struct {
	accountHolder
	may []string
	err error
}

func (w *watcher) LoginIssuer() string { return "the Cat" }
func (w *watcher) LoginTitle() string  { return "" }
func (w *watcher) OwnCallback() bool   { return false }
func (w *watcher) BeginLogin(context.Context, authhandlers.LoginAttempt) (string, error) {
	return "", nil
}
func (w *watcher) FinishLogin(context.Context, authhandlers.LoginAttempt, url.Values) (*authhandlers.Login, error) {
	return nil, errors.ErrUnsupported
}
func (w *watcher) RefreshLogin(context.Context, *authhandlers.Login) (*authhandlers.Login, error) {
	return nil, errors.ErrUnsupported
}
func (w *watcher) LogoutURL(*authhandlers.Login, string, string) string { return "" }
func (w *watcher) ReadLogoutToken(context.Context, string) (*authhandlers.Logout, error) {
	return nil, errors.ErrUnsupported
}
func (w *watcher) Generation() uint64 { return 1 }

func (w *watcher) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	again := *u
	again.Permissions = w.may
	return &again, w.err
}

func (w *watcher) PresentLogin(_ context.Context, u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	return w.Rejudge(u)
}

// TestWhatAPersonMayNow: a session's person has the permissions of the moment, at each
// request and when they are judged again, and an account only where those are its own.
func TestWhatAPersonMayNow(t *testing.T) {
	w := &watcher{accountHolder: accountHolder{"carla"}, may: []string{"USERS:LIST"}}
	chain := func(permissions []string) *authhandlers.Chain {
		c, err := authhandlers.NewChain(time.Now, authhandlers.Link{Name: "cat", Handler: w, Permissions: permissions})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := chain(nil)
	before := &authhandlers.AuthUserInfo{Issuer: "the Cat", Subject: "carla", Session: "s_1", Permissions: []string{"old"}}
	u, ok, err := c.Admit(t.Context(), "cat", before)
	if err != nil || !ok || u.ID != "carla" || u.Permissions[0] != "USERS:LIST" || c.CatAccount(u) != "carla" {
		t.Fatalf("%+v, %v", u, err)
	}
	w.may = []string{"STATUS:READ"}
	if again, err := c.Rejudge(u); err != nil || again.Permissions[0] != "STATUS:READ" {
		t.Errorf("judged again: %+v, %v", again, err)
	}
	other := chain([]string{"base"})
	if u, _, err := other.Admit(t.Context(), "cat", before); err != nil || u.Permissions[0] != "base" || other.CatAccount(u) != "" {
		t.Errorf("with permissions of the configuration: %+v, %v", u, err)
	}
	w.err = authhandlers.ErrLapsed
	if _, _, err := c.Admit(t.Context(), "cat", before); !errors.Is(err, authhandlers.ErrLapsed) {
		t.Errorf("when nobody can tell: %v", err)
	}
}
