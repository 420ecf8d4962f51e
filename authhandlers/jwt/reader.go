package jwt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// Reader verifies and reads the other tokens of an issuer, those of a login and a
// logout, as the handler of the same Config does with bearer tokens. What such a
// token must say beside is its caller's to judge.
type Reader struct {
	verifier
	issuer   string
	now      func() time.Time
	claims   judge
	identity identity
	watch    *claimWatch
}

// Verified is a token whose signature and issuer are right. Nothing else of it has
// been judged.
type Verified struct {
	// Type is the typ of the header, as it was written.
	Type string
	// Algorithm is that of the signature, as keyset.Canonical names it.
	Algorithm string
	// Payload is the text of Claims.
	Payload string
	Claims  strictjson.Object
}

// NewReader makes a Reader with the keys of c's issuer. The caller has validated c.
func NewReader(c *Config, env authhandlers.Env, keys Keyring) (*Reader, error) {
	id, err := newIdentity(c, env.Claims)
	if err != nil {
		return nil, err
	}
	return &Reader{
		verifier: newVerifier(c, env, keys), issuer: c.Issuer, now: env.Now, claims: newJudge(c), identity: id,
		watch: newClaimWatch(&id, env.Log, env.Now, "sign-ins"),
	}, nil
}

// Verify verifies the signature of a token of the issuer. The error is a
// *authhandlers.Rejection when it is the token's fault, or else that of the keys, of
// the gate or of ctx.
func (r *Reader) Verify(ctx context.Context, token string) (*Verified, error) {
	return r.verifyUpTo(ctx, token, keyset.MaxTokenBytes)
}

// VerifyAnswered is Verify for a token that the issuer itself has given us. It may be
// larger than what a stranger sends: somebody may be in hundreds of groups.
func (r *Reader) VerifyAnswered(ctx context.Context, token string) (*Verified, error) {
	return r.verifyUpTo(ctx, token, keyset.MaxAnsweredBytes)
}

func (r *Reader) verifyUpTo(ctx context.Context, token string, most int) (*Verified, error) {
	if len(token) > most {
		return nil, reject(authhandlers.CodeTokenTooLarge, "the token is too large", "the token is larger than %d KiB", most>>10)
	}
	t, err := keyset.ParseTokenUpTo(token, most)
	if err != nil {
		return nil, malformed(err)
	}
	claims, err := strictjson.ParseObject(t.Payload, maxDepth)
	if err != nil {
		return nil, malformed(fmt.Errorf("the payload is %w", err))
	}
	v, _ := claims.Get("iss")
	if iss, ok := v.Str(); !ok || iss != r.issuer {
		return nil, reject(authhandlers.CodeWrongIssuer, "the token is another issuer's", "iss is %s", quote(iss))
	}
	head, err := r.header(t)
	if err != nil {
		return nil, err
	}
	r.keys.Poll(r.now())
	if _, err := r.verify(ctx, t, head); err != nil {
		return nil, err
	}
	return &Verified{Type: head.Type, Algorithm: head.Algorithm, Payload: t.Payload, Claims: claims}, nil
}

// Peek returns the claims of a token that was verified when it came, and has been
// kept where nobody could change it.
func Peek(token string) (strictjson.Object, error) {
	t, err := keyset.ParseTokenUpTo(token, keyset.MaxAnsweredBytes)
	if err != nil {
		return nil, errors.New("no signed token")
	}
	return strictjson.ParseObject(t.Payload, maxDepth)
}

// Person is the one that verified claims name, without an expiry. Its texts are those of the
// claims, and keep all of them in memory. The error is a *authhandlers.Rejection.
func (r *Reader) Person(claims strictjson.Object) (authhandlers.AuthUserInfo, error) {
	r.watch.saw(claims)
	return r.identity.person(claims)
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

// Audiences are the values of aud, none if there is no aud. The error is a
// *authhandlers.Rejection.
func Audiences(claims strictjson.Object) ([]string, error) { return audience(claims, nil) }

// Quote makes a text of a stranger fit for a log line: short, in quotes, ASCII. It
// is for names of issuers, keys, types and errors, never for credentials.
func Quote(s string) string { return quote(s) }

// QuoteAll is Quote for a list.
func QuoteAll(names []string) string { return quoteAll(names) }
