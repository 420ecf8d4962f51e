package jwt

import (
	"context"
	"errors"
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
)

// verifier verifies signatures with the keys of one issuer.
type verifier struct {
	allowed []string
	keys    Keyring
	gate    *authhandlers.Gate
	observe func(string)
}

func newVerifier(c *Config, env authhandlers.Env, keys Keyring) verifier {
	v := verifier{allowed: slices.Clone(c.Allowed()), keys: keys, gate: env.Gate, observe: env.Observe}
	if v.observe == nil {
		v.observe = func(string) {}
	}
	return v
}

// header reads the header, and refuses an algorithm that is not allowed.
func (v *verifier) header(t *keyset.Token) (keyset.Header, error) {
	head, err := t.Header()
	if err != nil {
		return head, malformed(err)
	}
	if !slices.Contains(v.allowed, head.Algorithm) {
		return head, reject(authhandlers.CodeAlgorithmNotAllowed, "the token is signed with an algorithm that is not accepted here",
			"alg %s", quote(head.Algorithm))
	}
	return head, nil
}

// verify finds the key and computes the signature, in the house's own turn. Where the
// issuer has several keys of one kid, each takes a turn, and the one that verifies counts.
func (v *verifier) verify(ctx context.Context, t *keyset.Token, head keyset.Header) (*keyset.Key, error) {
	keys, err := v.keys.Find(ctx, head.KeyID, head.Algorithm)
	if unknown, ok := errors.AsType[*keyset.KeyError](err); ok {
		v.observe("unknown_key")
		return nil, reject(authhandlers.CodeUnknownKey, unknown.Hint,
			"no key for kid %s and alg %s: %w", quote(head.KeyID), quote(head.Algorithm), unknown)
	}
	if err != nil {
		return nil, err
	}
	bad := errors.New("not verified") // until a signature says otherwise
	for _, key := range keys {
		if err := v.gate.Do(ctx, func() { bad = t.Verify(key, head.Algorithm) }); err != nil {
			return nil, err
		}
		v.observe("signature_checked")
		if bad == nil {
			return key, nil
		}
	}
	return nil, reject(authhandlers.CodeBadSignature, "the token's signature is wrong",
		"kid %s, alg %s: %w", quote(head.KeyID), quote(head.Algorithm), bad)
}
