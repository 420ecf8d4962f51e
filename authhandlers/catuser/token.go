package catuser

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// algorithm is the one that the Cat signs with.
const algorithm = "HS256"

// maxDepth bounds how deeply claims nest: permissions are lists in an object.
const maxDepth = 8

// maxSubject bounds the id of a user of the Cat's, which is a UUID.
const maxSubject = 128

// claim is what a token of the Cat's says, as far as it is believed.
type claim struct {
	token     *keyset.Token
	sub, name string
	expiry    time.Time
	issuedAt  int64
}

func reject(code authhandlers.Code, hint, format string, args ...any) error {
	return authhandlers.Reject(code, hint, format, args...)
}

func invalid(problem string) error {
	return reject(authhandlers.CodeInvalidClaim, "this is no token as the Cat makes them", "%s", problem)
}

// read takes a token apart whose issuer could be the Cat, and judges all of it but the
// signature and the user.
func (h *handler) read(text string) (*claim, error) {
	t, err := keyset.ParseToken(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", authhandlers.ErrNoCredential, err)
	}
	claims, err := strictjson.ParseObject(t.Payload, maxDepth)
	if err != nil {
		return nil, fmt.Errorf("%w: the payload is %w", authhandlers.ErrNoCredential, err)
	}
	if _, has := claims.Get("iss"); has {
		return nil, fmt.Errorf("%w: the token has an iss, and those of the Cat have none", authhandlers.ErrNoCredential)
	}
	head, err := t.Header()
	switch {
	case err != nil:
		return nil, reject(authhandlers.CodeMalformedToken, "the token is not well-formed", "%w", err)
	case head.Algorithm != algorithm:
		return nil, reject(authhandlers.CodeAlgorithmNotAllowed, "the token is signed with an algorithm that is not accepted here", "it is not %s", algorithm)
	case head.Type != "" && head.Type != "JWT":
		return nil, reject(authhandlers.CodeWrongTokenType, "this is no token as the Cat makes them", "typ of the header is not JWT")
	case head.KeyID != "":
		return nil, reject(authhandlers.CodeUnknownKey, "this is no token as the Cat makes them", "the header names a key")
	}
	c := &claim{token: t}
	return c, c.fill(claims, h.now(), h.longest)
}

// fill reads the claims that the Cat writes: sub, username, permissions and exp. The
// permissions decide nothing, and a token without them is none that the Cat has given.
func (c *claim) fill(claims strictjson.Object, now time.Time, longest time.Duration) error {
	var ok bool
	sub, _ := claims.Get("sub")
	if c.sub, ok = sub.Str(); !ok || c.sub == "" || len(c.sub) > maxSubject {
		return invalid("sub is missing, too long, or no text")
	}
	name, _ := claims.Get("username")
	if c.name, ok = name.Str(); !ok {
		return invalid("username is missing, or no text")
	}
	permissions, _ := claims.Get("permissions")
	if _, ok = permissions.Object(); !ok {
		return invalid("permissions are missing, or no object")
	}
	if _, has := claims.Get("aud"); has {
		return reject(authhandlers.CodeWrongAudience, "the token is not meant for the Cat", "it has an aud, and those of the Cat have none")
	}
	return c.times(claims, now, longest)
}

func (c *claim) times(claims strictjson.Object, now time.Time, longest time.Duration) error {
	exp, ok, err := moment(claims, "exp")
	if err == nil && !ok {
		err = invalid("exp is missing")
	}
	if err != nil {
		return err
	}
	for _, name := range []string{"nbf", "iat"} {
		at, ok, err := moment(claims, name)
		switch {
		case err != nil:
			return err
		case ok && at.After(now):
			return reject(authhandlers.CodeTokenNotYetValid, "the token is not valid yet", "%s is ahead by %s", name, at.Sub(now))
		case ok && name == "iat":
			c.issuedAt = at.Unix()
		}
	}
	switch left := exp.Sub(now); {
	case left <= 0:
		return reject(authhandlers.CodeTokenExpired, "the token has expired; get a new one", "exp has passed by %s", -left)
	case left > longest:
		return reject(authhandlers.CodeTokenLifetime, "the token is valid for longer than is accepted here",
			"it has %s left, more than max_lifetime, which is %s", left.Round(time.Second), longest)
	}
	c.expiry = exp
	return nil
}

// moment reads a NumericDate (RFC 7519 §2).
func moment(claims strictjson.Object, name string) (t time.Time, ok bool, err error) {
	v, ok := claims.Get(name)
	if !ok {
		return time.Time{}, false, nil
	}
	seconds, ok := v.Number()
	if !ok || math.Abs(seconds) > 1<<35 {
		return time.Time{}, false, invalid(name + " is no moment")
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true, nil
}

// verify computes the signature, and returns the key that has made it.
func (h *handler) verify(ctx context.Context, t *keyset.Token) (*keyset.Key, error) {
	keys, err := h.keys.Find(ctx, "", algorithm)
	if err != nil {
		return nil, err
	}
	bad := errors.New("no key")
	for _, k := range keys {
		if bad = t.Verify(k, algorithm); bad == nil {
			return k, nil
		}
	}
	return nil, reject(authhandlers.CodeBadSignature, "the token's signature is wrong", "%w; is jwt_secret the one that the Cat has?", bad)
}
