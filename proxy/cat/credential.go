package cat

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"
)

// ErrNoAccount means that no service account's permissions cover the request, so
// that the Cat could not be asked without more rights than it needs.
var ErrNoAccount = errors.New("no service account covers this request")

// Credentials proves Catflap to the Cat. Implementations are safe for concurrent use.
type Credentials interface {
	// HTTP writes the credential of a request of the person id to the route.
	HTTP(h http.Header, id string, r Route) error
	// Chat returns the token of the person's WebSocket.
	Chat(id string) (token string, err error)
}

// Keys are the Cat's own API keys. The first means full rights at the Cat for any
// user id, so that the permission policy alone protects what it opens. The empty
// keys are for a Cat without any.
type Keys struct {
	http, chat string
	line       []string // the Authorization line, made once
}

// NewKeys returns the credentials of credential: api_key.
func NewKeys(httpKey, chatKey string) *Keys {
	return &Keys{http: httpKey, chat: chatKey, line: []string{"Bearer " + httpKey}}
}

// HTTP implements [Credentials].
func (k *Keys) HTTP(h http.Header, _ string, r Route) error {
	present(h, k.http, k.line, r)
	return nil
}

// Chat implements [Credentials].
func (k *Keys) Chat(string) (string, error) { return k.chat, nil }

// present writes a token, and line, which is the Authorization line of it.
func present(h http.Header, token string, line []string, r Route) {
	if token == "" {
		return
	}
	h["Authorization"] = line[:1:1]
	if r.Panel { // one line: the Cat reads the first only
		cookie := PanelCookie + "=" + token
		if kept := h.Get("Cookie"); kept != "" {
			cookie += "; " + kept
		}
		h["Cookie"] = []string{cookie}
	}
}

// Account is one of the Cat's own users, with what it may do there.
type Account struct {
	ID          string
	Permissions Permissions
	// Full means that the account may do everything, unknown endpoints included.
	Full bool
}

// The life of a minted token: long enough for a clock that is a little off, short
// enough to be worth little. The Cat looks at it once, when a request or a
// handshake arrives.
const (
	mintedLife  = 2 * time.Minute
	mintedReuse = time.Minute
	mintedKept  = 4096
)

// Minter signs short-lived JWTs of the Cat's own: the user is the token's
// username, the permissions are those of the account in sub. So the Cat itself
// refuses what the policy should have refused.
type Minter struct {
	secret   []byte
	accounts []Account
	chat     Route
	now      func() time.Time
	minted   *lru.Cache[mintedKey, mintedToken]
}

type mintedKey struct {
	id      string
	account int
}

type mintedToken struct {
	token string
	made  time.Time
}

// NewMinter returns the credentials of credential: minted. The accounts are tried
// in their order.
func NewMinter(secret []byte, accounts []Account, contract *Contract, now func() time.Time) (*Minter, error) {
	if len(secret) == 0 || len(accounts) == 0 {
		return nil, errors.New("cat: minted tokens need the Cat's secret and a service account")
	}
	kept, err := lru.New[mintedKey, mintedToken](mintedKept)
	if err != nil {
		return nil, err
	}
	return &Minter{secret: secret, accounts: accounts, chat: contract.chat, now: now, minted: kept}, nil
}

// HTTP implements [Credentials]; the error wraps ErrNoAccount or is a fault.
func (m *Minter) HTTP(h http.Header, id string, r Route) error {
	token, err := m.token(id, r)
	if err == nil {
		present(h, token, []string{"Bearer " + token}, r)
	}
	return err
}

// Chat implements [Credentials].
func (m *Minter) Chat(id string) (string, error) { return m.token(id, m.chat) }

func (m *Minter) token(id string, r Route) (string, error) {
	for i := range m.accounts {
		if m.accounts[i].covers(r) {
			return m.tokenOf(id, i)
		}
	}
	return "", fmt.Errorf("%w: %s", ErrNoAccount, r.Pattern)
}

func (a *Account) covers(r Route) bool {
	switch {
	case a.Full:
		return true
	case r.Needs == uploadWeb:
		return a.Permissions.Has(uploadFile) // to the Cat itself they are the same
	}
	return a.Permissions.Has(r.Needs)
}

func (m *Minter) tokenOf(id string, account int) (string, error) {
	key, now := mintedKey{id, account}, m.now()
	if t, ok := m.minted.Get(key); ok && now.Sub(t.made).Abs() < mintedReuse {
		return t.token, nil
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": m.accounts[account].ID, "username": id, "exp": now.Add(mintedLife).Unix(),
	}).SignedString(m.secret)
	if err != nil {
		return "", fmt.Errorf("mint a token for the Cat: %w", err)
	}
	m.minted.Add(key, mintedToken{token, now})
	return token, nil
}
