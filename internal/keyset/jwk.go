package keyset

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/catflap/catflap/internal/base64url"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// The bounds of a key set document.
const (
	MaxDocumentBytes = 1 << 20
	MaxKeys          = 100
	maxDepth         = 16
)

// Document is what a key set document (RFC 7517 §5) holds for us.
type Document struct {
	// Keys are those that can verify a signature of an allowed algorithm.
	Keys []*Key
	// Skipped says why each of the others was left out. It names no key.
	Skipped []string
	// Odd are those of them that are no keys for another use or algorithm, but weak or
	// malformed.
	Odd []string
	// Private counts the keys that came with their private part, which nobody but
	// the issuer should have. Only the public part is kept.
	Private int

	leftOut map[string]string // why, by kid
}

// errOther means a key that is in order, and not for us.
var errOther = errors.New("for another use")

func other(why string) error { return fmt.Errorf("%s: %w", why, errOther) }

// skip notes a key that is left out.
func (d *Document) skip(index int, jwk strictjson.Object, err error) {
	v, _ := jwk.Get("kid")
	why := strings.TrimSuffix(err.Error(), ": "+errOther.Error())
	told := fmt.Sprintf("keys[%d]: %s", index, why)
	d.Skipped = append(d.Skipped, told)
	if !errors.Is(err, errOther) {
		d.Odd = append(d.Odd, told)
	}
	if kid, ok := v.Str(); ok && kid != "" {
		if d.leftOut == nil {
			d.leftOut = map[string]string{}
		}
		d.leftOut[strings.Clone(kid)] = why
	}
}

// ParseDocument reads a key set document. Keys that are unknown, unfit, or for
// another use are left out; a document that is none at all is an error.
func ParseDocument(text []byte, allowed []string) (*Document, error) {
	if len(text) > MaxDocumentBytes {
		return nil, fmt.Errorf("the key set is larger than %d bytes", MaxDocumentBytes)
	}
	o, err := strictjson.ParseObject(string(text), maxDepth)
	if err != nil {
		return nil, fmt.Errorf("no key set: %w", err)
	}
	member, _ := o.Get("keys")
	all, ok := member.Array()
	if !ok {
		return nil, errors.New("no key set: it has no array of keys")
	}
	if len(all) > MaxKeys {
		return nil, fmt.Errorf("a key set of %d keys; %d are taken", len(all), MaxKeys)
	}
	d := &Document{}
	for i, v := range all {
		jwk, ok := v.Object()
		if !ok {
			return nil, fmt.Errorf("no key set: keys[%d] is no object", i)
		}
		if _, private := jwk.Get("d"); private {
			d.Private++
		}
		k, err := parseJWK(jwk, allowed)
		if err != nil {
			d.skip(i, jwk, err)
			continue
		}
		if !slices.ContainsFunc(d.Keys, k.same) {
			d.Keys = append(d.Keys, k)
		}
	}
	return d, nil
}

func parseJWK(jwk strictjson.Object, allowed []string) (*Key, error) {
	var text struct{ kty, kid, alg, use string }
	for _, m := range []struct {
		name string
		to   *string
	}{{"kty", &text.kty}, {"kid", &text.kid}, {"alg", &text.alg}, {"use", &text.use}} {
		v, ok := jwk.Get(m.name)
		if !ok {
			continue
		}
		if *m.to, ok = v.Str(); !ok || *m.to == "" {
			return nil, fmt.Errorf("%s is no text", m.name)
		}
	}
	if text.use != "" && text.use != "sig" {
		return nil, other("use is not sig")
	}
	if v, ok := jwk.Get("key_ops"); ok {
		if ops, _ := v.Strings(); !slices.Contains(ops, "verify") {
			return nil, other("key_ops has no verify")
		}
	}
	material, err := jwkMaterial(jwk, text.kty)
	if err != nil {
		return nil, err
	}
	return newKey(strings.Clone(text.kid), strings.Clone(text.alg), material, allowed)
}

// jwkMaterial reads the public part of a key. A symmetric key in a document that
// others can read is a mistake, so it is not taken (RFC 8725 §2.1).
func jwkMaterial(jwk strictjson.Object, kty string) (any, error) {
	switch kty {
	case "RSA":
		return jwkRSA(jwk)
	case "EC":
		return jwkEC(jwk)
	case "OKP":
		return jwkOKP(jwk)
	case "oct":
		return nil, errors.New("a symmetric key")
	}
	return nil, other("unknown kty")
}

// jwkRSA reads RFC 7518 §6.3.1.
func jwkRSA(jwk strictjson.Object) (any, error) {
	n, err := jwkBytes(jwk, "n")
	if err != nil {
		return nil, err
	}
	e, err := jwkBytes(jwk, "e")
	if err != nil {
		return nil, err
	}
	// Some issuers write leading zero octets, against RFC 7518 §2.
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 32 {
		return nil, errors.New("a bad RSA exponent")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

// jwkEC reads RFC 7518 §6.2.1: coordinates of exactly the field's size.
func jwkEC(jwk strictjson.Object) (any, error) {
	crv, _ := jwk.Get("crv")
	name, _ := crv.Str()
	curve := map[string]elliptic.Curve{
		"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521(),
	}[name]
	if curve == nil {
		return nil, other("unknown curve")
	}
	x, err := jwkBytes(jwk, "x")
	if err != nil {
		return nil, err
	}
	y, err := jwkBytes(jwk, "y")
	if err != nil {
		return nil, err
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, errors.New("a coordinate of the wrong size")
	}
	k, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errors.New("a point that is not on the curve")
	}
	return k, nil
}

// jwkOKP reads RFC 8037 §2, for Ed25519.
func jwkOKP(jwk strictjson.Object) (any, error) {
	crv, _ := jwk.Get("crv")
	if name, _ := crv.Str(); name != "Ed25519" {
		return nil, other("unknown curve")
	}
	x, err := jwkBytes(jwk, "x")
	if err != nil {
		return nil, err
	}
	if len(x) != ed25519.PublicKeySize {
		return nil, errors.New("a coordinate of the wrong size")
	}
	return ed25519.PublicKey(x), nil
}

func jwkBytes(jwk strictjson.Object, name string) ([]byte, error) {
	v, _ := jwk.Get(name)
	text, ok := v.Str()
	if !ok || text == "" {
		return nil, fmt.Errorf("%s is missing", name)
	}
	b, err := base64url.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s is no base64url", name)
	}
	return b, nil
}
