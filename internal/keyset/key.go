package keyset

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// The bounds of an RSA key: below them it is weak (RFC 7518 §3.3), above them a
// signature costs so much that sending bad ones is an attack (CVE-2023-29409).
const (
	minRSABits = 2048
	maxRSABits = 8192
	// RFC 8017 allows larger exponents; crypto/rsa verifies with none.
	maxRSAExponent = 1<<31 - 1
)

// Key is one public key of an issuer, or its shared secret.
type Key struct {
	id         string
	algorithms []string
	material   any // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or secret
	gone       atomic.Bool
	goodUntil  *atomic.Int64 // that of the key's set; nil while it has none
}

type secret []byte

// ID returns the key's kid, or "" if it has none.
func (k *Key) ID() string { return k.id }

// Algorithms returns the algorithms that the key may verify. The slice must not
// be changed.
func (k *Key) Algorithms() []string { return k.algorithms }

// Fits reports whether the key may verify a signature of the algorithm.
func (k *Key) Fits(algorithm string) bool { return slices.Contains(k.algorithms, algorithm) }

// Current reports whether the issuer still has the key. What was verified by a
// key that is not current must be verified again.
func (k *Key) Current() bool { return !k.gone.Load() }

// GoodUntil returns the moment from which the key is too old, unless its set is
// fetched again before. From then on, what it has verified must not be used.
func (k *Key) GoodUntil() time.Time {
	if k.goodUntil == nil {
		return time.Unix(0, forever)
	}
	return time.Unix(0, k.goodUntil.Load())
}

// Public returns the key itself, as the packages of crypto know it; a []byte if
// it is a shared secret.
func (k *Key) Public() any {
	if s, ok := k.material.(secret); ok {
		return []byte(s)
	}
	return k.material
}

// same reports whether two keys are one, so that a refresh does not end it.
func (k *Key) same(o *Key) bool {
	if k.id != o.id || !slices.Equal(k.algorithms, o.algorithms) {
		return false
	}
	switch m := k.material.(type) {
	case *rsa.PublicKey:
		p, ok := o.material.(*rsa.PublicKey)
		return ok && m.Equal(p)
	case *ecdsa.PublicKey:
		p, ok := o.material.(*ecdsa.PublicKey)
		return ok && m.Equal(p)
	case ed25519.PublicKey:
		p, ok := o.material.(ed25519.PublicKey)
		return ok && m.Equal(p)
	case secret:
		s, ok := o.material.(secret)
		return ok && subtle.ConstantTimeCompare(m, s) == 1
	}
	return false
}

// newKey makes a key for those of the allowed algorithms that suit the material,
// or only for the one which its owner states. The error says, without any value
// of the key, why it can't be used.
func newKey(id, stated string, material any, allowed []string) (*Key, error) {
	fit, err := fitting(material)
	if err != nil {
		return nil, err
	}
	if stated = Canonical(stated); stated != "" {
		if !slices.Contains(fit, stated) {
			return nil, errors.New("alg does not suit the key")
		}
		fit = []string{stated}
	}
	k := &Key{id: id, material: material}
	for _, a := range fit {
		if slices.Contains(allowed, a) {
			k.algorithms = append(k.algorithms, a)
		}
	}
	if len(k.algorithms) == 0 {
		return nil, other("no allowed algorithm suits the key")
	}
	return k, nil
}

// fitting says which algorithms suit a key (RFC 7518 §3.1, RFC 8037 §3.1), and
// refuses weak, costly and malformed ones.
func fitting(material any) ([]string, error) {
	switch m := material.(type) {
	case *rsa.PublicKey:
		if err := checkRSA(m); err != nil {
			return nil, err
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, nil
	case *ecdsa.PublicKey:
		switch m.Curve {
		case elliptic.P256():
			return []string{"ES256"}, nil
		case elliptic.P384():
			return []string{"ES384"}, nil
		case elliptic.P521():
			return []string{"ES512"}, nil
		}
		return nil, errors.New("unknown curve")
	case ed25519.PublicKey:
		return []string{"EdDSA"}, nil
	case secret:
		return fittingHMAC(len(m))
	}
	return nil, errors.New("unknown kind of key")
}

// LeastSecret returns how long a shared secret must be for an algorithm: as long
// as the hash (RFC 7518 §3.2).
func LeastSecret(algorithm string) int {
	switch algorithm {
	case "HS384":
		return 48
	case "HS512":
		return 64
	}
	return 32
}

func fittingHMAC(size int) (fit []string, err error) {
	for _, a := range []string{"HS256", "HS384", "HS512"} {
		if size >= LeastSecret(a) {
			fit = append(fit, a)
		}
	}
	if fit == nil {
		return nil, errors.New("the secret is shorter than 32 bytes")
	}
	return fit, nil
}

func checkRSA(k *rsa.PublicKey) error {
	bits := k.N.BitLen()
	switch {
	case bits < minRSABits || bits > maxRSABits:
		return fmt.Errorf("an RSA key of %d bits; %d to %d are taken", bits, minRSABits, maxRSABits)
	case k.N.Bit(0) == 0:
		return errors.New("an even RSA modulus")
	case k.E < 3 || k.E > maxRSAExponent || k.E%2 == 0:
		return errors.New("a bad RSA exponent")
	}
	return nil
}
