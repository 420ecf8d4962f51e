package jwt

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
	"github.com/catflap/catflap/internal/tokencache"
)

// maxDepth bounds how deeply claims may nest. Keycloak's go to 3.
const maxDepth = 32

type handler struct {
	verifier
	issuer   string
	carrier  Carrier
	balancer balancer
	now      func() time.Time
	cache    *tokencache.Cache[*verified]
	lists    *tokencache.Lists
	claims   judge
	identity identity
	watch    *claimWatch
	rules    Rules
}

// verified is what is remembered of an accepted token.
type verified struct {
	info authhandlers.AuthUserInfo
	key  *keyset.Key
}

// Until is the end of the token or of its key, whichever is first.
func (v *verified) Until() time.Time {
	if end := v.key.GoodUntil(); end.Before(v.info.Expiry) {
		return end
	}
	return v.info.Expiry
}

func (v *verified) Current() bool { return v.key.Current() }

// Authenticate takes credentials that are JWTs of the handler's issuer.
func (h *handler) Authenticate(ctx context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	token, err := h.token(r)
	if err != nil {
		return nil, err
	}
	if len(token) > keyset.MaxTokenBytes {
		return nil, reject(authhandlers.CodeTokenTooLarge, "the token is too large", "the token is larger than 16 KiB")
	}
	now := h.now()
	h.keys.Poll(now)
	k := h.cache.Key(token)
	v, err := h.cache.Get(k, now)
	switch err {
	case nil:
		h.observe("cache_hit")
	case tokencache.ErrMiss: //nolint:errorlint // Get returns it bare
		h.observe("cache_miss")
		if v, err = h.admit(ctx, k, token, now); err != nil {
			return nil, err
		}
	default:
		h.observe("cache_hit_refused")
		return nil, err
	}
	if r.Lasting {
		return h.lasting(v, token), nil
	}
	return &v.info, nil
}

// Ready reports that the keys are not there.
func (h *handler) Ready(context.Context) error { return h.keys.Ready() }

// LooksSigned reports whether a text may be a signed token: three parts, the first
// of which begins as base64url of an opening brace does. An opaque token of another
// handler does not, and neither does an encrypted one (five parts), which may be
// opaque for us and known to the issuer's introspection.
func LooksSigned(token string) bool {
	if len(token) < 2 || token[0] != 'e' || token[1] != 'y' && token[1] != 'w' {
		return false
	}
	if len(token) > keyset.MaxTokenBytes {
		return true // the size refuses it
	}
	return strings.Count(token, ".") == 2
}

// reading is what a token says, before anybody has verified that it is the issuer's.
type reading struct {
	token  *keyset.Token
	head   keyset.Header
	claims strictjson.Object
	info   authhandlers.AuthUserInfo
}

// read judges everything of a token but its signature. A refusal says whether the
// token is for another handler of the issuer.
func (h *handler) read(text string, now time.Time) (*reading, error) {
	t, err := h.parse(text)
	if err != nil {
		return nil, malformed(err)
	}
	claims, err := strictjson.ParseObject(t.Payload, maxDepth)
	if err != nil {
		return nil, malformed(fmt.Errorf("the payload is %w", err))
	}
	if err := h.mine(claims); err != nil {
		return nil, err
	}
	r, err := h.decide(t, claims, now)
	if err != nil {
		return nil, h.elsewhere(err, t, claims)
	}
	return r, nil
}

// decide judges a token of the issuer.
func (h *handler) decide(t *keyset.Token, claims strictjson.Object, now time.Time) (*reading, error) {
	if h.rules.Closed != nil {
		return nil, h.rules.Closed
	}
	r := &reading{token: t, claims: claims}
	var err error
	if r.head, err = h.header(t); err != nil {
		return nil, err
	}
	if err = h.balancer.check(t.Members); err != nil {
		return nil, err
	}
	expiry, isID, err := h.claims.decide(r.head.Type, r.claims, now)
	if err != nil {
		return nil, err
	}
	if h.rules.Check != nil {
		if err := h.rules.Check(r.claims, isID); err != nil {
			return nil, err
		}
	}
	if r.info, err = h.identity.person(r.claims); err != nil {
		return nil, err
	}
	r.info.Expiry = expiry
	if v, ok := r.claims.Get("sub"); ok && h.identity.user.String() != "sub" {
		sub, _ := v.Str()
		r.info.Sub = &sub
	}
	at, ok, err := moment(r.claims, "iat")
	if ok {
		r.info.IssuedAt = at.Unix()
	}
	return r, err
}

// admit decides about a token that is not remembered.
func (h *handler) admit(ctx context.Context, k tokencache.Key, text string, now time.Time) (*verified, error) {
	r, err := h.read(text, now)
	if err != nil {
		return nil, err
	}
	v := &verified{info: r.info}
	return h.cache.Do(ctx, k, now, func(ctx context.Context) (*verified, error) {
		var err error
		if v.key, err = h.verify(ctx, r.token, r.head); err != nil {
			return nil, err
		}
		if h.rules.Complete == nil {
			h.watch.saw(r.claims)
		} else if err := h.rules.Complete(ctx, text, r.claims, &v.info); err != nil {
			return nil, err
		}
		h.compact(&v.info)
		return v, nil
	})
}

// mine chooses by the issuer that the token claims. It is not verified yet, so it
// can only send the token elsewhere, or to our own keys.
func (h *handler) mine(claims strictjson.Object) error {
	v, ok := claims.Get("iss")
	if !ok {
		return fmt.Errorf("%w: the token has no iss", authhandlers.ErrNoCredential)
	}
	iss, ok := v.Str()
	if !ok {
		return fmt.Errorf("%w: the token's iss is no string", authhandlers.ErrNoCredential)
	}
	if iss != h.issuer {
		return fmt.Errorf("%w: the token's iss is %s", authhandlers.ErrNoCredential, quote(iss))
	}
	return nil
}

var (
	_ authhandlers.AuthHandler = (*handler)(nil)
	_ authhandlers.Prober      = (*handler)(nil)
	_ authhandlers.Sibling     = (*handler)(nil)
)
