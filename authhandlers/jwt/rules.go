package jwt

import (
	"context"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// Keyring is where a handler finds the keys of its issuer; a *keyset.Set is one.
type Keyring interface {
	Poll(now time.Time)
	Find(ctx context.Context, kid, algorithm string) ([]*keyset.Key, error)
	Present(kid, algorithm string) ([]*keyset.Key, error)
	Generation() uint64
	Ready() error
}

// Rules are what a handler type that is built upon this one adds to a Config. They
// can only make it stricter, but for Complete, whose answer comes after everything
// else has been verified.
type Rules struct {
	// Keys are the issuer's; required. Keys of the Config is not read.
	Keys Keyring
	// IDAudiences, if not nil, are the audiences that ID tokens must be meant for and made for (azp,
	// where there is one), instead of the Config's Audiences and Clients.
	IDAudiences []string
	// Closed, if not nil, is the answer to each token of the issuer.
	Closed *authhandlers.Rejection
	// Check, if not nil, refuses claims. They are not verified yet.
	Check func(claims strictjson.Object, isID bool) error
	// Complete, if not nil, may add to the person of a verified token, from the
	// network too; its answer is remembered with the token. It must not keep claims.
	Complete func(ctx context.Context, token string, claims strictjson.Object, info *authhandlers.AuthUserInfo) error
}

// Handler is what New makes.
type Handler interface {
	authhandlers.AuthHandler
	authhandlers.Sibling
}

// New makes the handler of c with rules of its own. The caller has validated c.
func New(c *Config, env authhandlers.Env, r Rules) (Handler, error) {
	return newHandler(c, env, r)
}

var _ Keyring = (*keyset.Set)(nil)
