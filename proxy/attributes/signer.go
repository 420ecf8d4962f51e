package attributes

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/required"
)

// Where a token stands.
const (
	Header     = "X-Catflap-Attributes" // over HTTP
	MessageKey = "catflap_attributes"   // in a message to the Cat
)

const (
	// Audience is the aud of each token.
	Audience = "cheshire-cat"
	// tokenType is the typ of each token: no other token of ours has it (RFC 8725 §3.11).
	tokenType = "catflap-attributes+jwt"
)

const (
	// remembered is how many people's tokens are kept, one for each, and
	// rememberedBytes how much of them.
	remembered      = 16 << 10
	rememberedBytes = 16 << 20
	// told is how often the log says that something was left out.
	told = time.Hour
)

// Options are the parts of a Signer.
type Options struct {
	Keys   *Keys
	Issuer string
	// Claims are what of a person is told, by the paths of the configuration. None may be
	// one that RefuseClaim refuses.
	Claims []string
	// Lifetime is how long a token holds. Each has half of that left at least.
	Lifetime time.Duration
	Now      func() time.Time
	Log      *slog.Logger
}

// Signer makes the tokens of one configuration.
type Signer struct {
	o       Options
	leftOut atomic.Int64 // when that was said last, Unix seconds

	made        *lru.Cache[string, made] // by the person's Key
	remembering sync.Mutex               // held while it is changed
	bytes       int                      // of the tokens in it
}

// made is a token, and what it was made of.
type made struct {
	of    [sha256.Size]byte
	token string
	until time.Time
}

// New makes a Signer; every part must be there.
func New(o Options) (*Signer, error) {
	if err := required.Parts("attributes.Options", map[string]bool{
		"Keys": o.Keys != nil, "Issuer": o.Issuer != "", "Claims": len(o.Claims) > 0, "Lifetime": o.Lifetime > 0, "Now": o.Now != nil, "Log": o.Log != nil,
	}); err != nil {
		return nil, err
	}
	for _, name := range o.Claims {
		if reason := RefuseClaim(name); reason != "" {
			return nil, errors.New("attributes: the claim " + name + " " + reason)
		}
	}
	s := &Signer{o: o}
	var err error
	s.made, err = lru.NewWithEvict(remembered, func(_ string, m made) { s.bytes -= len(m.token) })
	return s, err
}

// Keys are those that sign.
func (s *Signer) Keys() *Keys { return s.o.Keys }

// Token returns what plugins may know of u, signed. The error tells nothing of u.
func (s *Signer) Token(u *authhandlers.AuthUserInfo) (string, error) {
	of, now, person := s.fingerprint(u), s.o.Now(), u.Key()
	if m, ok := s.made.Get(person); ok && m.of == of && now.Before(m.until) {
		return m.token, nil
	}
	claims, leftOut, err := s.about(u)
	if err != nil {
		return "", errors.New("attributes: a person's attributes can't be written")
	}
	if len(leftOut) > 0 {
		s.tell(u, leftOut, now)
	}
	signs := s.o.Keys.list[0]
	claims["iat"], claims["exp"] = now.Unix(), now.Add(s.o.Lifetime).Unix()
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	t.Header["typ"], t.Header["kid"] = tokenType, signs.id
	token, err := t.SignedString(signs.private)
	if err != nil {
		return "", errors.New("attributes: a token can't be signed")
	}
	s.remember(person, made{of, token, now.Add(s.o.Lifetime / 2)})
	return token, nil
}

// remember keeps a token, and forgets those that were asked for least lately.
func (s *Signer) remember(person string, m made) {
	s.remembering.Lock()
	defer s.remembering.Unlock()
	s.made.Remove(person) // which counts it out
	s.bytes += len(m.token)
	s.made.Add(person, m)
	for s.bytes > rememberedBytes {
		s.made.RemoveOldest()
	}
}

// about is what is said of u, but for the time.
func (s *Signer) about(u *authhandlers.AuthUserInfo) (claims jwt.MapClaims, leftOut []string, err error) {
	claims = s.claimsOf(u)
	for {
		if plain, err := json.Marshal(claims); err != nil || len(plain) <= maxPayload {
			return claims, leftOut, err
		}
		name := largest(claims)
		if name == "" {
			return nil, nil, errors.New("too much")
		}
		delete(claims, name)
		leftOut = append(leftOut, name)
		claims[leftOutClaim] = leftOut
	}
}

// tell says now and then that a list was left out, and whose.
func (s *Signer) tell(u *authhandlers.AuthUserInfo, leftOut []string, now time.Time) {
	last := s.leftOut.Load()
	if now.Unix()-last < int64(told/time.Second) || !s.leftOut.CompareAndSwap(last, now.Unix()) {
		return
	}
	s.o.Log.Warn("attributes are too large for a token: plugins are told that they are left out", "user", u.ID, "left_out", leftOut)
}
