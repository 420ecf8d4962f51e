package cat

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"
)

// MintedIssuer is the iss of the tokens that are minted here. The Cat does not look at
// it, and writes none itself: so nobody can take a minted token for one that the Cat has
// given to a person.
const MintedIssuer = "catflap"

// The life of a minted token: long enough for a clock that is a little off, short
// enough to be worth little. The Cat looks at it once, when a request or a
// handshake arrives.
const (
	mintedLife  = 2 * time.Minute
	mintedReuse = time.Minute
	mintedKept  = 4096
)

// signer mints tokens of the Cat's own, and keeps them while they are fresh.
type signer struct {
	secret []byte
	now    func() time.Time
	minted *lru.Cache[mintedKey, mintedToken]
}

type mintedKey struct{ account, id string }

type mintedToken struct {
	token string
	made  time.Time
}

func newSigner(secret []byte, now func() time.Time) (*signer, error) {
	if len(secret) == 0 {
		return nil, errors.New("cat: minted tokens need the Cat's secret")
	}
	kept, err := lru.New[mintedKey, mintedToken](mintedKept)
	return &signer{secret: secret, now: now, minted: kept}, err
}

// sign returns a token for the person id with the permissions of an account.
func (s *signer) sign(account, id string) (string, error) {
	key, now := mintedKey{account, id}, s.now()
	if t, ok := s.minted.Get(key); ok && now.Sub(t.made).Abs() < mintedReuse {
		return t.token, nil
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": MintedIssuer, "sub": account, "username": id, "exp": now.Add(mintedLife).Unix(),
	}).SignedString(s.secret)
	if err != nil {
		return "", fmt.Errorf("mint a token for the Cat: %w", err)
	}
	s.minted.Add(key, mintedToken{token, now})
	return token, nil
}
