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
	Find(ctx context.Context, kid, algorithm string) (*keyset.Key, error)
	Generation() uint64
	Ready() error
}

// Rules are what a handler type that is built upon this one adds to a Config. They
// can only make it stricter, but for Complete, whose answer comes after everything
// else has been verified.
type Rules struct {
	// Keys are the issuer's; required. Keys of the Config is not read.
	Keys Keyring
	// IDAudiences, if not nil, are whom ID tokens must be meant for and made for (azp,
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

// New makes the handler of c with rules of its own. The caller has validated c.
func New(c *Config, env authhandlers.Env, r Rules) (authhandlers.AuthHandler, error) {
	return newHandler(c, env, r)
}

// Reader reads verified claims as the handler of a Config does.
type Reader struct {
	claims   judge
	identity identity
}

// NewReader makes a Reader that also retains the claims of these paths.
func NewReader(c *Config, retained []string) (*Reader, error) {
	id, err := newIdentity(c, retained)
	if err != nil {
		return nil, err
	}
	return &Reader{claims: newJudge(c), identity: id}, nil
}

// Person is whom the claims name, without an expiry. Its texts are those of the
// claims, and keep all of them in memory. The error is a *authhandlers.Rejection.
func (r *Reader) Person(claims strictjson.Object) (authhandlers.AuthUserInfo, error) {
	return r.identity.person(claims)
}

// Groups are those that the claims name.
func (r *Reader) Groups(claims strictjson.Object) []string { return r.identity.groupsOf(claims) }

// Retained are the values of the retained claims by their path, or nil.
func (r *Reader) Retained(claims strictjson.Object) map[string][]string {
	return r.identity.retainedOf(claims)
}

// Times checks exp, nbf and iat, and returns the moment from which the token is no
// longer accepted, leeway included. The error is a *authhandlers.Rejection.
func (r *Reader) Times(claims strictjson.Object, now time.Time) (time.Time, error) {
	return r.claims.times(claims, now)
}

// Moment reads a claim that is a NumericDate (RFC 7519 §2), and reports whether it
// is there. The error is a *authhandlers.Rejection.
func Moment(claims strictjson.Object, name string) (t time.Time, ok bool, err error) {
	return moment(claims, name)
}

// Audiences are the values of aud. The error is a *authhandlers.Rejection.
func Audiences(claims strictjson.Object) ([]string, error) { return audience(claims, nil) }

// Quote makes a text of a stranger fit for a log line: short, in quotes, ASCII. It
// is for names of issuers, keys, types and errors, never for credentials.
func Quote(s string) string { return quote(s) }

var _ Keyring = (*keyset.Set)(nil)
