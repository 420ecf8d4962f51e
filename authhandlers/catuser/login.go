package catuser

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"

	"github.com/catflap/catflap/authhandlers"
)

// loginHandler is the handler with login: true.
type loginHandler struct {
	*handler
	title   string
	cat     authhandlers.CatUsers
	observe func(string)
}

// LoginIssuer implements authhandlers.LoginProvider.
func (h *loginHandler) LoginIssuer() string { return Issuer }

// LoginTitle implements authhandlers.LoginProvider.
func (h *loginHandler) LoginTitle() string { return h.title }

// LoginByPassword implements authhandlers.PasswordLogin. Where nobody has the name, the
// Cat is asked for somebody else's password, which nobody has typed: that takes it as
// long.
func (h *loginHandler) LoginByPassword(ctx context.Context, name, password string) (*authhandlers.PasswordGrant, error) {
	l, err := h.roll.present(ctx, pause)
	if err != nil {
		return nil, err
	}
	if has, other := l.has(name); !has || !hashable(password) {
		if password = rand.Text(); other != "" {
			name = other
		}
	}
	token, err := h.cat.Token(ctx, name, password)
	if err != nil {
		return nil, err
	}
	if token == "" {
		h.observe(eventLoginRefused)
		return nil, reject(authhandlers.CodeWrongPassword, "the name or the password is wrong", "the Cat does not take them")
	}
	u, err := h.admit(ctx, token, false)
	if errors.Is(err, authhandlers.ErrNoCredential) {
		err = errors.New("the Cat gives tokens with an iss, or none that can be read")
	}
	if err != nil {
		return nil, err
	}
	h.observe(eventLogin)
	person := *u
	return &authhandlers.PasswordGrant{Login: &authhandlers.Login{Person: person}, Token: token}, nil
}

// hashable reports a password that the Cat looks at for as long as at any other: bcrypt
// reads 72 bytes, and refuses some texts at once.
func hashable(password string) bool {
	return len(password) <= 72 && strings.IndexByte(password, 0) < 0
}

// PresentLogin implements authhandlers.LoginWatcher.
func (h *loginHandler) PresentLogin(ctx context.Context, u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	return h.present(u, func(id string) (*authhandlers.CatUser, error) { return h.roll.find(ctx, id) })
}

// errNoProvider is the answer to whatever a provider elsewhere would be asked for.
var errNoProvider = errors.New("the Cat's own users sign in at no provider")

// OwnCallback implements authhandlers.LoginProvider: nobody comes back from anywhere.
func (h *loginHandler) OwnCallback() bool { return false }

// BeginLogin implements authhandlers.LoginProvider.
func (h *loginHandler) BeginLogin(context.Context, authhandlers.LoginAttempt) (string, error) {
	return "", errNoProvider
}

// FinishLogin implements authhandlers.LoginProvider.
func (h *loginHandler) FinishLogin(context.Context, authhandlers.LoginAttempt, url.Values) (*authhandlers.Login, error) {
	return nil, errNoProvider
}

// RefreshLogin implements authhandlers.LoginProvider: PresentLogin says what holds.
func (h *loginHandler) RefreshLogin(context.Context, *authhandlers.Login) (*authhandlers.Login, error) {
	return nil, errNoProvider
}

// LogoutURL implements authhandlers.LoginProvider.
func (h *loginHandler) LogoutURL(*authhandlers.Login, string, string) string { return "" }

// ReadLogoutToken implements authhandlers.LoginProvider.
func (h *loginHandler) ReadLogoutToken(context.Context, string) (*authhandlers.Logout, error) {
	return nil, reject(authhandlers.CodeWrongIssuer, "the Cat sends no logout tokens", "%w", errNoProvider)
}

var (
	_ authhandlers.PasswordLogin = (*loginHandler)(nil)
	_ authhandlers.LoginWatcher  = (*loginHandler)(nil)
)
