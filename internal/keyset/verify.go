package keyset

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // the hash of RS256, PS256, ES256 and HS256
	_ "crypto/sha512" // the hashes of the others
	"errors"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// ErrSignature is wrapped by the error for a signature that does not verify.
var ErrSignature = errors.New("the signature does not verify")

// ErrAlgorithm is returned for a token of an algorithm that is not allowed.
var ErrAlgorithm = errors.New("the algorithm is not allowed")

// Canonical returns the one name that an algorithm has here. Ed25519 is what RFC 9864
// calls EdDSA with the only curve that is known here.
func Canonical(algorithm string) string {
	if algorithm == "Ed25519" {
		return "EdDSA"
	}
	return algorithm
}

// Known reports whether an algorithm can be allowed at all; symmetric whether it
// takes a shared secret. "none" is not known.
func Known(algorithm string) (known, symmetric bool) {
	switch Canonical(algorithm) {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA":
		return true, false
	case "HS256", "HS384", "HS512":
		return true, true
	}
	return false, false
}

// Verify verifies the token's signature with k. That k fits the algorithm is
// checked here once more, since everything hangs on it.
func (t *Token) Verify(k *Key, algorithm string) error {
	m := method(algorithm)
	if m == nil || !k.Fits(algorithm) {
		return ErrAlgorithm
	}
	if public, ok := k.material.(ed25519.PublicKey); ok && len(public) != ed25519.PublicKeySize {
		return ErrSignature
	}
	if err := m.Verify(t.signed, t.signature, k.Public()); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// method returns the signing method of an algorithm, or nil.
func method(algorithm string) jwt.SigningMethod {
	switch algorithm {
	case "RS256":
		return jwt.SigningMethodRS256
	case "RS384":
		return jwt.SigningMethodRS384
	case "RS512":
		return jwt.SigningMethodRS512
	case "PS256":
		return pss("PS256", crypto.SHA256)
	case "PS384":
		return pss("PS384", crypto.SHA384)
	case "PS512":
		return pss("PS512", crypto.SHA512)
	case "ES256":
		return jwt.SigningMethodES256
	case "ES384":
		return jwt.SigningMethodES384
	case "ES512":
		return jwt.SigningMethodES512
	case "EdDSA":
		return jwt.SigningMethodEdDSA
	case "HS256":
		return jwt.SigningMethodHS256
	case "HS384":
		return jwt.SigningMethodHS384
	case "HS512":
		return jwt.SigningMethodHS512
	}
	return nil
}

// pss is the library's method but for the salt, which RFC 7518 §3.5 wants exactly
// as long as the hash; the library's own takes any length.
func pss(name string, hash crypto.Hash) jwt.SigningMethod {
	return &jwt.SigningMethodRSAPSS{
		SigningMethodRSA: &jwt.SigningMethodRSA{Name: name, Hash: hash},
		Options:          &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash},
	}
}

// VerifySignature verifies a compact token and returns its payload. It is the
// method of go-oidc's KeySet, so that a login and a bearer token share one set of
// keys and one policy. No claim is looked at.
func (s *Set) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	t, err := ParseToken(token)
	if err != nil {
		return nil, err
	}
	h, err := t.Header()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(s.allowed, h.Algorithm) {
		return nil, ErrAlgorithm
	}
	keys, err := s.Find(ctx, h.KeyID, h.Algorithm)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if err = t.Verify(k, h.Algorithm); err == nil {
			return []byte(t.Payload), nil
		}
	}
	return nil, err
}
