package signin

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/required"
	"github.com/catflap/catflap/proxy/page"
	"github.com/catflap/catflap/proxy/session"
)

// Options are the parts of a SignIn.
type Options struct {
	Chain    *authhandlers.Chain
	Sessions *session.Manager
	Pages    *page.Pages
	// PublicURL is our own origin, as browsers see it.
	PublicURL string
	// Origins are further origins whose pages may act for the people here.
	Origins []string
	// Prefix is the path below which the pages are, with a slash at the end.
	Prefix string
	// Home is where people go who came from nowhere, as a path of our own or an address
	// of one of Origins; empty: "/".
	Home string
	// AfterLogout is where people go after they have signed out; empty: a page that
	// says so.
	AfterLogout string
	// ClearCookies are cookies that end with a session, beside the session's own:
	// names and paths.
	ClearCookies []http.Cookie
	// Own reports a path that is answered here and not by the Cat, so that nobody is
	// sent back to it.
	Own func(path string) bool
	// Bounds hold what strangers can have done; nil: new ones.
	Bounds *Bounds
	Now    func() time.Time
	Log    *slog.Logger
}

// SignIn is the way in and out. It is immutable: a reload makes another.
type SignIn struct {
	o         Options
	providers []provider
	host      authhandlers.Host // takes in guests; nil: nobody does
}

// provider is a handler through which people sign in.
type provider struct {
	name string
	authhandlers.LoginProvider
}

// New makes a SignIn of the chain's handlers that people sign in through. Without
// any it returns nil: there is nobody to sign in.
func New(o Options) (*SignIn, error) {
	if o.Chain == nil {
		return nil, required.Parts("signin.Options", o.parts())
	}
	s := &SignIn{o: o, host: o.Chain.Host()}
	for _, l := range o.Chain.Links() {
		if p, ok := l.Handler.(authhandlers.LoginProvider); ok {
			s.providers = append(s.providers, provider{l.Name, p})
		}
	}
	if len(s.providers) == 0 {
		return nil, nil //nolint:nilnil // says that there is none
	}
	if err := required.Parts("signin.Options", o.parts()); err != nil {
		return nil, err
	}
	if s.o.Bounds == nil {
		s.o.Bounds = NewBounds(o.Now)
	}
	return s, nil
}

// parts says which of those that New needs are there.
func (o *Options) parts() map[string]bool {
	return map[string]bool{
		"Chain": o.Chain != nil, "Sessions": o.Sessions != nil, "Pages": o.Pages != nil, "PublicURL": o.PublicURL != "",
		"Prefix": o.Prefix != "", "Own": o.Own != nil, "Now": o.Now != nil, "Log": o.Log != nil,
	}
}

func (s *SignIn) provider(name string) (provider, bool) {
	for _, p := range s.providers {
		if p.name == name {
			return p, true
		}
	}
	return provider{}, false
}

// Provider is a way to sign in, for a page that lets people choose.
type Provider struct{ Name, Title, LoginURL string }

// Providers are the ways to sign in, in the order of the configuration.
func (s *SignIn) Providers() []Provider {
	l := make([]Provider, 0, len(s.providers))
	for _, p := range s.providers {
		l = append(l, Provider{p.name, p.LoginTitle(), s.loginURL(p.name, "")})
	}
	return l
}

// loginURL is the address that begins a way in.
func (s *SignIn) loginURL(idp, returnTo string) string {
	q := url.Values{}
	if idp != "" {
		q.Set("idp", idp)
	}
	if returnTo != "" && returnTo != s.Home() {
		q.Set("return_to", returnTo)
	}
	if len(q) == 0 {
		return s.o.Prefix + "login"
	}
	return s.o.Prefix + "login?" + q.Encode()
}

// LoginURL is where somebody who is not signed in is sent, to come back to the
// path returnTo.
func (s *SignIn) LoginURL(returnTo string) string { return s.loginURL("", s.returnPath(returnTo)) }

// PasswordURL is the page with a form for a name and a password.
func (s *SignIn) PasswordURL(returnTo string) string {
	p, _, _ := s.byPassword()
	return s.loginURL(p.name, s.returnPath(returnTo))
}

// LogoutURL is the page to sign out.
func (s *SignIn) LogoutURL() string { return s.o.Prefix + "logout" }

// Home is where people go who came from nowhere.
func (s *SignIn) Home() string { return cmp.Or(s.o.Home, root) }

// returnPath is a path of ours to come back to, or home.
func (s *SignIn) returnPath(text string) string {
	if path := ReturnPath(text, s.o.Own); path != root {
		return path
	}
	return s.Home()
}

// Person returns who has the session that the request's cookie names, refreshed if
// that is due. The error is session.ErrNoSession (wrapped, perhaps with the
// *authhandlers.Rejection that ended it), a *authhandlers.Rejection, or a fault.
func (s *SignIn) Person(ctx context.Context, r *http.Request) (*authhandlers.AuthUserInfo, *session.Session, error) {
	found, err := s.o.Sessions.Find(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	return s.admit(ctx, found)
}

// PersonOf is Person for a session's handle.
func (s *SignIn) PersonOf(ctx context.Context, handle string) (*authhandlers.AuthUserInfo, *session.Session, error) {
	found, err := s.o.Sessions.ByHandle(ctx, handle)
	if err == nil {
		err = s.o.Sessions.Extend(ctx, found)
	}
	if err != nil {
		return nil, nil, err
	}
	return s.admit(ctx, found)
}

func (s *SignIn) admit(ctx context.Context, found *session.Session) (*authhandlers.AuthUserInfo, *session.Session, error) {
	p, ok := s.provider(found.Handler)
	if ok {
		keeper, judges := p.LoginProvider.(authhandlers.LoginKeeper)
		ok = p.LoginIssuer() == found.Login.Person.Issuer && (!judges || keeper.KeepsLogin(&found.Login))
	}
	if !ok {
		// The configuration no longer lets this provider's people in.
		return nil, nil, errors.Join(session.ErrNoSession, s.o.Sessions.End(ctx, found))
	}
	fresh, err := s.o.Sessions.Fresh(ctx, found, p.RefreshLogin)
	if err != nil {
		return nil, nil, err
	}
	u, err := s.person(ctx, fresh)
	return u, fresh, err
}

// person makes the session's person complete. It expires when the provider or the
// session has to be asked again, so that a socket is looked after.
func (s *SignIn) person(ctx context.Context, of *session.Session) (*authhandlers.AuthUserInfo, error) {
	u := of.Login.Person
	u.Session, u.Expiry = of.Handle, s.o.Sessions.Until(of)
	admitted, ok, err := s.o.Chain.Admit(ctx, of.Handler, &u)
	if err == nil && !ok {
		err = session.ErrNoSession
	}
	return admitted, err
}
