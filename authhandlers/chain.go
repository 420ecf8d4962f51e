package authhandlers

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Link is a handler with its place in the configuration.
type Link struct {
	Name    string
	Alias   string // written before each user id; empty for bare ids
	Handler AuthHandler
	// Permissions, if not nil, are the handler's own: instead of everything that
	// the configuration grants.
	Permissions []string
	// Headers and Cookies are the names of what the handler reads ([Carrying]).
	Headers, Cookies []string
}

// Chain asks its handlers in order. It is immutable.
type Chain struct {
	links   []Link
	issuers []string // of each link, if it may share it with others
	keys    []bool   // of each link, whether it may see API keys
	now     func() time.Time
	denied  func(*AuthUserInfo) error
}

// NewChain makes a chain; names must be unique and aliases well-formed.
func NewChain(now func() time.Time, links ...Link) (*Chain, error) {
	seen := map[string]bool{}
	for _, l := range links {
		switch {
		case l.Name == "" || l.Handler == nil:
			return nil, errors.New("authhandlers: a link needs a name and a handler")
		case seen[l.Name]:
			return nil, fmt.Errorf("authhandlers: two handlers are named %q", l.Name)
		}
		if err := ValidAlias(l.Alias); err != nil {
			return nil, fmt.Errorf("authhandlers: handler %s: %w", l.Name, err)
		}
		seen[l.Name] = true
	}
	c := &Chain{links: append([]Link(nil), links...), now: now}
	for i := range c.links {
		c.issuers = append(c.issuers, siblingOf(c.links[i].Handler))
		c.keys = append(c.keys, seesKeys(c.links[i].Handler))
	}
	return c, nil
}

// Denying returns a chain that asks, as the last thing, whether somebody's access has
// ended though their credential has not: in each way in. The error is as that of a
// handler.
func (c *Chain) Denying(denied func(*AuthUserInfo) error) *Chain {
	d := *c
	d.denied = denied
	return &d
}

// Links returns the chain's links in order. The slice must not be changed.
func (c *Chain) Links() []Link { return c.links }

// Authenticate returns the person of the first handler that claims the request.
// Handlers of one issuer decide together whose a credential is ([Sibling]).
//
// The error is or wraps a *Rejection for a refused, unclaimed or missing credential;
// Code says which. A *HandlerError names the handler that it is of. Any other error is a fault on our side: no access, and no 401
// either. A handler that panics is such a fault.
func (c *Chain) Authenticate(ctx context.Context, r *Request) (*AuthUserInfo, error) {
	var passed error
	var left search
	key := r.Credential.IsKey()
	for i := range c.links {
		l := &c.links[i]
		if left.passes(c.issuers[i]) || key && !c.keys[i] {
			continue
		}
		u, err := ask(ctx, l, r)
		if err == nil {
			return c.finish(l, u)
		}
		if left.goesOn(c.issuers[i], err) {
			continue
		}
		if !errors.Is(err, ErrNoCredential) {
			return nil, err
		}
		if err != ErrNoCredential { //nolint:errorlint // only a wrapped one has a reason to log
			passed = errors.Join(passed, fmt.Errorf("%s: %w", l.Name, err))
		}
	}
	if left.nearest != nil {
		return nil, left.nearest
	}
	if r.Credential == nil && !r.Carried {
		return nil, &Rejection{Code: CodeMissingCredential, Hint: "sign in, or send a token", Err: passed}
	}
	hint := "the token is of no issuer that is accepted here"
	if key {
		hint = "API keys are not accepted here, or not under this scheme; send one as Authorization: Bearer"
	}
	return nil, &Rejection{Code: CodeUnclaimed, Hint: hint, Err: passed}
}

// Admit completes a person that a handler has verified before: somebody with a
// browser session. The alias and the permissions are those of the present
// configuration, and of the moment where the handler knows that ([LoginWatcher]). False
// means that the handler is no more, or is another issuer's.
func (c *Chain) Admit(ctx context.Context, handler string, u *AuthUserInfo) (*AuthUserInfo, bool, error) {
	for i := range c.links {
		l := &c.links[i]
		p, ok := l.Handler.(LoginProvider)
		if l.Name != handler || !ok || p.LoginIssuer() != u.Issuer {
			continue
		}
		if w, ok := l.Handler.(LoginWatcher); ok {
			present, err := w.PresentLogin(ctx, u)
			if err != nil {
				return nil, true, &HandlerError{l.Name, err}
			}
			u = present
		}
		done, err := c.complete(l, u) // what has ended of their sessions, the sessions know
		return done, true, err
	}
	return nil, false, nil
}

// CatAccount returns the id of the Cat's own user that somebody is, or "". Where the
// configuration gives the handler's people other permissions than the Cat has stored,
// they are none.
func (c *Chain) CatAccount(u *AuthUserInfo) string {
	l := c.link(u.Handler)
	if l == nil || l.Permissions != nil {
		return ""
	}
	if h, ok := l.Handler.(AccountHolder); ok {
		return h.CatAccount(u)
	}
	return ""
}

// finish completes a person, and asks whether their access has ended.
func (c *Chain) finish(l *Link, u *AuthUserInfo) (*AuthUserInfo, error) {
	done, err := c.complete(l, u)
	if err == nil && c.denied != nil {
		err = c.denied(done)
	}
	if err != nil {
		return nil, &HandlerError{l.Name, err}
	}
	return done, nil
}

// complete makes the identity the chain's own: a handler chooses issuer and
// subject, never the id. The handler's value is shared (it may be cached), so it
// is copied before it is completed.
func (c *Chain) complete(l *Link, u *AuthUserInfo) (*AuthUserInfo, error) {
	if !u.Expiry.IsZero() && !c.now().Before(u.Expiry) {
		return nil, Reject(CodeTokenExpired, "the token has expired; get a new one", "exp and the leeway have passed: the end was %s ago by the clock here", c.now().Sub(u.Expiry).Round(time.Millisecond))
	}
	alias, err := c.aliasOf(l, u)
	if err != nil {
		return nil, err
	}
	taken := collides
	if _, own := l.Handler.(AccountHolder); own {
		taken = collidesOwn
	}
	id, err := userID(alias, u.Subject, taken)
	if err != nil {
		return nil, &Rejection{Code: CodeInvalidUserID, Hint: "the token's subject can't be used as a user id", Err: err}
	}
	done := *u
	done.ID, done.Handler = id, l.Name
	if _, guests := l.Handler.(Host); guests {
		done.Issuer = GuestIssuer
	}
	if l.Permissions != nil {
		done.Permissions = l.Permissions
	}
	return &done, nil
}

// ask calls one handler; its panic is an error of this one request.
func ask(ctx context.Context, l *Link, r *Request) (u *AuthUserInfo, err error) {
	defer func() {
		if p := recover(); p != nil {
			u, err = nil, fmt.Errorf("handler %s panicked: %s", l.Name, panicText(p))
		}
	}()
	u, err = l.Handler.Authenticate(ctx, r)
	if err != nil && !errors.Is(err, ErrNoCredential) {
		return nil, &HandlerError{l.Name, err}
	}
	if err == nil && u == nil {
		return nil, fmt.Errorf("handler %s returned neither a person nor an error", l.Name)
	}
	return u, err
}

// panicText keeps a panic's value out of the log unless the runtime wrote it: a
// handler may panic with the credential that it choked on.
func panicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", p)
}
