package keyset

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// maxTwins bounds the keys of one kid that are tried for one token: a bad signature
	// costs as much as all of them.
	maxTwins = 4
	// toldReasons bounds the keys that are left out and told in one line.
	toldReasons = 8
)

// KeyError says why no key of an issuer can be a token's. It is an ErrUnknownKey.
type KeyError struct {
	// Hint is for the person at the client.
	Hint string
	why  string
}

// Error says it for the log. It holds nothing of the token.
func (e *KeyError) Error() string { return e.why }

// Is reports that it is an ErrUnknownKey.
func (e *KeyError) Is(target error) bool { return target == ErrUnknownKey }

func unpublished(format string, args ...any) *KeyError {
	return &KeyError{"the token is signed with a key that its issuer does not publish", fmt.Sprintf(format, args...)}
}

func ambiguous(format string, args ...any) *KeyError {
	return &KeyError{"the token does not say which of its issuer's keys has signed it", fmt.Sprintf(format, args...)}
}

func unusable(format string, args ...any) *KeyError {
	return &KeyError{"the token is signed with a key of its issuer that can't be used here", fmt.Sprintf(format, args...)}
}

// ring is the keys of one moment.
type ring struct {
	all     []*Key
	byID    map[string][]*Key
	skipped []string          // why the others were left out
	leftOut map[string]string // the same, by kid
}

func newRing(keys []*Key, d *Document) *ring {
	r := &ring{all: keys, byID: make(map[string][]*Key, len(keys)), skipped: d.Skipped, leftOut: d.leftOut}
	for _, k := range keys {
		r.byID[k.id] = append(r.byID[k.id], k)
	}
	return r
}

// noKey says why a set of no keys has none.
func (r *ring) noKey() error {
	if len(r.skipped) == 0 {
		return errors.New("the key set is empty")
	}
	return errors.New("the key set has no key that can be used here: " + reasons(r.skipped))
}

// reasons puts some of them into one line.
func reasons(all []string) string {
	if n := len(all) - toldReasons; n > 0 {
		return fmt.Sprintf("%s; and %d more", strings.Join(all[:toldReasons], "; "), n)
	}
	return strings.Join(all, "; ")
}

// pick chooses by id and algorithm. Only keys that the token can't tell apart, of one
// id, are all tried. Its answer is settled unless a key that we don't know yet could be
// meant.
func (r *ring) pick(kid, algorithm string) (keys []*Key, settled bool, why *KeyError) {
	if kid == "" {
		return r.pickNameless(algorithm)
	}
	if same := r.byID[kid]; len(same) > 0 {
		fit := fits(same, algorithm)
		switch {
		case len(fit) == 0:
			return nil, true, unusable("the key of this kid is not for %s", algorithm)
		case len(fit) > maxTwins:
			return nil, true, ambiguous("%d keys of the issuer have this kid", len(fit))
		}
		return fit, true, nil
	}
	if fit := fits(r.byID[""], algorithm); len(fit) == 1 {
		return fit, true, nil
	} else if len(fit) > 1 {
		return nil, false, ambiguous("no key of the issuer has this kid, and %d have none", len(fit))
	}
	if reason, ok := r.leftOut[kid]; ok {
		return nil, false, unusable("the key of this kid is left out: %s", reason)
	}
	return nil, false, unpublished("the issuer publishes no key of this kid")
}

// pickNameless chooses for a token that names no key.
func (r *ring) pickNameless(algorithm string) (keys []*Key, settled bool, why *KeyError) {
	fit := fits(r.all, algorithm)
	switch len(fit) {
	case 0:
		return nil, false, unpublished("the token has no kid, and the issuer publishes no key for %s", algorithm)
	case 1:
		return fit, true, nil
	}
	return nil, true, ambiguous("the token has no kid, and %d keys of the issuer are for %s", len(fit), algorithm)
}

// fits returns the keys for an algorithm.
func fits(keys []*Key, algorithm string) (fit []*Key) {
	for _, k := range keys {
		if k.Fits(algorithm) {
			fit = append(fit, k)
		}
	}
	return fit
}
