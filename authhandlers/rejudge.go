package authhandlers

import (
	"context"
	"errors"
)

// Rejudge judges again somebody that a chain before this one, or this one, has let
// in, and who has something open. It returns the person as they would be let in now:
// always the same one. A *Rejection means that they would not be; any other error
// that a handler can't tell yet.
func (c *Chain) Rejudge(u *AuthUserInfo) (*AuthUserInfo, error) {
	l := c.link(u.Handler)
	if l == nil {
		return nil, Reject(CodeUnclaimed, "sign in again", "the handler that let this person in is no more")
	}
	l, again, err := c.judge(l, u)
	if err != nil {
		return nil, err
	}
	done, err := c.finish(l, again)
	if err != nil {
		return nil, err
	}
	if !done.Same(u) {
		return nil, Reject(CodeInvalidUserID, "sign in again", "the credential names somebody else now")
	}
	return done, nil
}

// judge asks the handler, or the one of its issuer that the credential is for now.
func (c *Chain) judge(l *Link, u *AuthUserInfo) (*Link, *AuthUserInfo, error) {
	issuer := siblingOf(l.Handler)
	if issuer == "" || u.Session != "" {
		again, err := l.rejudge(u)
		return l, again, err
	}
	var left search
	for i := range c.links {
		if c.issuers[i] != issuer {
			continue
		}
		again, err := c.links[i].rejudge(u)
		if !left.goesOn(issuer, err) {
			return &c.links[i], again, err
		}
	}
	return l, nil, left.nearest
}

// Generation changes whenever the answers of Rejudge may.
func (c *Chain) Generation() uint64 {
	var sum uint64
	for i := range c.links {
		if r, ok := c.links[i].Handler.(Rejudger); ok {
			sum += r.Generation()
		}
	}
	return sum
}

func (c *Chain) link(name string) *Link {
	for i := range c.links {
		if c.links[i].Name == name {
			return &c.links[i]
		}
	}
	return nil
}

func (l *Link) rejudge(u *AuthUserInfo) (*AuthUserInfo, error) {
	if u.Session != "" { // what the session itself is worth, the sessions know
		if p, ok := l.Handler.(LoginProvider); !ok || p.LoginIssuer() != u.Issuer {
			return nil, Reject(CodeWrongIssuer, "sign in again", "the handler is another issuer's now")
		}
		if w, ok := l.Handler.(LoginWatcher); ok {
			return w.Rejudge(u)
		}
		again := *u
		again.Permissions = nil // those of the link before
		return &again, nil
	}
	r, ok := l.Handler.(Rejudger)
	switch {
	case ok && u.Evidence == "", !ok && u.Evidence != "":
		return nil, Reject(CodeUnclaimed, "sign in again", "the handler is of another type now")
	case !ok:
		return u, nil
	}
	again, err := r.Rejudge(u)
	if errors.Is(err, ErrNoCredential) {
		return nil, &Rejection{Code: CodeUnclaimed, Hint: "sign in again", Err: err}
	}
	if err != nil {
		return nil, err
	}
	done := *again
	done.Evidence = u.Evidence
	return &done, nil
}

// Same reports whether two are one person: the issuer's, and the same at the Cat.
func (u *AuthUserInfo) Same(o *AuthUserInfo) bool {
	return u.Issuer == o.Issuer && u.Subject == o.Subject && u.ID == o.ID
}

// StillIn asks again for the person of a request that is under way, and returns them
// as they would be let in now.
func (c *Chain) StillIn(ctx context.Context, r *Request, u *AuthUserInfo) (*AuthUserInfo, error) {
	again, err := c.Authenticate(ctx, r)
	if err == nil && !again.Same(u) {
		return nil, Reject(CodeInvalidUserID, "sign in again", "the credential names somebody else now")
	}
	return again, err
}
