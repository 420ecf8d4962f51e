package authhandlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Host is the ability of a handler that takes in people who have no credential, as
// guests. A request that carries any credential is never a guest's: a Host accepts
// nothing with a Credential or an OtherCredential.
type Host interface {
	AuthHandler
	// TakeIn makes the sender of the request, who has asked for it, a guest, and has
	// the cookie of one set. Somebody who is one stays the same. A *FullError means that
	// there is no room.
	TakeIn(ctx context.Context, r *Request) (*AuthUserInfo, error)
	// IsGuest reports whether a request has the cookie of a guest. It costs no place.
	IsGuest(r *http.Request) bool
	// SeeOff ends the guest whose cookie the request has, and has the cookie deleted.
	// It returns who that was, or nil.
	SeeOff(r *Request) *AuthUserInfo
	// Guests is how many there are now.
	Guests() int
	// OffersCopy reports whether guests who sign in are offered a copy of their conversation.
	OffersCopy() bool
}

// GuestIssuer is whose people all guests are. The chain writes it for those of a [Host].
const GuestIssuer = "urn:catflap:guests"

// IsGuest reports somebody who has proved nothing: nobody knows who this is.
func (u *AuthUserInfo) IsGuest() bool { return u.Issuer == GuestIssuer }

// FullError says that a Host has no room at present.
type FullError struct {
	Code Code
	// Own says that it is the share of the sender's address that is used up.
	Own bool
	// Wait is when to come again at the earliest.
	Wait time.Duration
}

func (e *FullError) Error() string {
	if e.Own {
		return fmt.Sprintf("%s: the share of this address is used up", e.Code)
	}
	return fmt.Sprintf("%s: everything that there is for guests is used up", e.Code)
}

var errNoHost = errors.New("no handler takes in guests")

// host returns the link of the handler that takes in guests, or nil.
func (c *Chain) host() (*Link, Host) {
	for i := range c.links {
		if h, ok := c.links[i].Handler.(Host); ok {
			return &c.links[i], h
		}
	}
	return nil, nil
}

// Host returns the handler that takes in guests, or nil.
func (c *Chain) Host() Host {
	_, h := c.host()
	return h
}

// TakeIn makes the sender of the request a guest ([Host]). The error is as that of
// Authenticate, or a *FullError.
func (c *Chain) TakeIn(ctx context.Context, r *Request) (*AuthUserInfo, error) {
	l, h := c.host()
	if h == nil {
		return nil, &Rejection{Code: CodeMissingCredential, Hint: "sign in, or send a token", Err: errNoHost}
	}
	u, err := h.TakeIn(ctx, r)
	if err != nil {
		return nil, &HandlerError{l.Name, err}
	}
	return c.finish(l, u)
}

// SeeOff ends the guest whose cookie the request has ([Host]), and returns who it
// was, or nil.
func (c *Chain) SeeOff(r *Request) *AuthUserInfo {
	l, h := c.host()
	if h == nil {
		return nil
	}
	u := h.SeeOff(r)
	if u == nil {
		return nil
	}
	done, err := c.complete(l, u)
	if err != nil { // it has expired
		return nil
	}
	return done
}
