package jwt_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
)

// TestKeysOfOneName: of an issuer's keys of one kid, the one that verifies counts, and
// a forged token costs no more than those few.
func TestKeysOfOneName(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		one, two, foreign := newKey(t, "k", algorithm), newKey(t, "k", algorithm), newKey(t, "k", algorithm)
		clock := authtest.NewClock()
		env := authtest.NewEnv(t, clock)
		checked := 0
		env.Observe = func(event string) {
			if event == "signature_checked" {
				checked++
			}
		}
		h := open(t, env, keySet(t, one.JWK(), two.JWK()), nil)
		signed := func(k *issuer.Key, n int) string {
			return issuer.Sign(k, map[string]any{"alg": k.Algorithm, "typ": "at+jwt", "kid": k.ID}, map[string]any{
				"iss": issuerName, "aud": audience, "sub": "alice", "iat": clock.Now().Unix(), "exp": clock.Now().Unix() + 300, "jti": fmt.Sprint(n),
			})
		}
		for i, c := range []struct {
			key  *issuer.Key
			want string
			most int
		}{{one, "", 2}, {two, "", 2}, {foreign, "bad_signature", 2}} {
			checked = 0
			_, err := h.Authenticate(t.Context(), authtest.Bearer(signed(c.key, i)))
			if code(err) != c.want || checked > c.most {
				t.Errorf("%s, key %d: %v, %d signatures", algorithm, i, err, checked)
			}
		}
		// A socket that the second key has let in stays, while the issuer has that key.
		lasting := authtest.Bearer(signed(two, 8))
		lasting.Lasting = true
		u, err := h.Authenticate(t.Context(), lasting)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.(authhandlers.Rejudger).Rejudge(u); err != nil {
			t.Errorf("%s: judged again: %v", algorithm, err)
		}
		// What was remembered ends with the key that has verified it, and with no other.
		token := signed(two, 9)
		for range 2 {
			if _, err := h.Authenticate(t.Context(), authtest.Bearer(token)); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestWhyNoKey: the log says why no key is the token's, and nobody is told that the
// issuer does not publish what it does.
func TestWhyNoKey(t *testing.T) {
	a, b, weak := newKey(t, "a", "ES256"), newKey(t, "b", "ES256"), newKey(t, "weak", "RS256")
	padded := weak.JWK()
	padded["n"] = padded["n"].(string) + "=="
	for name, c := range map[string]struct {
		keys      []map[string]any
		key       *issuer.Key
		kid       any
		hint, why string
	}{
		"no such key":  {[]map[string]any{a.JWK()}, b, "b", "does not publish", "publishes no key of this kid"},
		"no kid":       {[]map[string]any{a.JWK(), b.JWK()}, a, nil, "does not say which", "no kid, and 2 keys"},
		"padded":       {[]map[string]any{a.JWK(), padded}, weak, "weak", "can't be used here", "left out: n is no base64url"},
		"other alg":    {[]map[string]any{a.JWK(), weak.JWK()}, a, "weak", "can't be used here", "not for ES256"},
		"nameless two": {[]map[string]any{named(a, nil), named(b, nil)}, a, "x", "does not say which", "2 have none"},
	} {
		clock := authtest.NewClock()
		h := open(t, authtest.NewEnv(t, clock), keySet(t, c.keys...), nil)
		header := map[string]any{"alg": c.key.Algorithm}
		if c.kid != nil {
			header["kid"] = c.kid
		}
		token := issuer.Sign(c.key, header, map[string]any{
			"iss": issuerName, "aud": audience, "sub": "alice", "iat": clock.Now().Unix(), "exp": clock.Now().Unix() + 300,
		})
		_, err := h.Authenticate(t.Context(), authtest.Bearer(token))
		r, ok := errors.AsType[*authhandlers.Rejection](err)
		if !ok || r.Code != authhandlers.CodeUnknownKey || !strings.Contains(r.Hint, c.hint) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(c.hint, "not publish") != strings.Contains(r.Hint, "not publish") {
			t.Errorf("%s: %s", name, r.Hint)
		}
	}
}

func named(k *issuer.Key, kid any) map[string]any {
	j := k.JWK()
	delete(j, "kid")
	if kid != nil {
		j["kid"] = kid
	}
	return j
}
