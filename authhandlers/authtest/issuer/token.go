package issuer

import (
	"encoding/json"
	"fmt"
	"time"
)

// Change is something about a token that is to be different.
type Change func(*draft)

// draft is a token before it is signed.
type draft struct {
	header, claims map[string]any
	key            *Key
}

// Claim sets a claim.
func Claim(name string, value any) Change { return func(d *draft) { d.claims[name] = value } }

// Without leaves claims out.
func Without(names ...string) Change {
	return func(d *draft) {
		for _, n := range names {
			delete(d.claims, n)
		}
	}
}

// Header sets a member of the header; nil leaves it out.
func Header(name string, value any) Change {
	return func(d *draft) {
		if d.header[name] = value; value == nil {
			delete(d.header, name)
		}
	}
}

// SignedBy signs with another key, and says so in the header.
func SignedBy(k *Key) Change {
	return func(d *draft) {
		d.key = k
		d.header["alg"], d.header["kid"] = k.Algorithm, k.ID
	}
}

// ForgedBy signs with another key without saying so.
func ForgedBy(k *Key) Change { return func(d *draft) { d.key = k } }

// Lifetime sets exp to this long after now; a negative one makes an expired token.
func (i *Issuer) Lifetime(d time.Duration) Change {
	return Claim("exp", i.now().Add(d).Unix())
}

// Token returns a signed access token (RFC 9068) for a subject: of this issuer, for
// its audience, valid for ten minutes, signed by the first published key. Changes
// are made to it in their order.
func (i *Issuer) Token(subject string, changes ...Change) string {
	i.mu.Lock()
	k := i.first
	i.serial++
	serial := i.serial
	i.mu.Unlock()
	now := i.now().Unix()
	d := draft{
		header: map[string]any{"alg": k.Algorithm, "kid": k.ID, "typ": "at+jwt"},
		claims: map[string]any{
			"iss": i.URL(), "aud": i.audience, "sub": subject, "client_id": "web",
			"iat": now, "exp": now + 600, "jti": fmt.Sprintf("t%d", serial),
		},
		key: k,
	}
	for _, c := range changes {
		c(&d)
	}
	return Sign(d.key, d.header, d.claims)
}

// Sign returns a compact token of any header and claims. It panics when they are
// no JSON or the key does not suit its algorithm: both are mistakes of the caller.
func Sign(k *Key, header, claims map[string]any) string {
	h, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return SignRaw(k, h, c)
}

// SignRaw is Sign for texts that no encoder would write.
func SignRaw(k *Key, header, payload []byte) string {
	signed := text(header) + "." + text(payload)
	sig, err := k.Sign(signed)
	if err != nil {
		panic(err)
	}
	return signed + "." + text(sig)
}
