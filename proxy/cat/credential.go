package cat

import (
	"errors"
	"net/http"
	"time"
)

// Credentials proves Catflap to the Cat. Implementations are safe for concurrent use.
type Credentials interface {
	// HTTP writes the credential of a person's request to the route.
	HTTP(h http.Header, p Person, r Route) error
	// Chat returns the token of the person's WebSocket.
	Chat(p Person) (token string, err error)
	// ChatRights are what the Cat believes of a person at their WebSocket. The error
	// is that of Chat.
	ChatRights(p Person) (Permissions, error)
}

// Person is somebody at the Cat, with what they were granted there.
type Person struct {
	ID string
	// Held is everything that they may do, be it with their own data alone. What a
	// plugin is told of their rights is never more.
	Held Permissions
	// Account is the id of the Cat's own user that this person is there, with what the
	// Cat has Stored for it. Empty: they are none.
	Account string
	Stored  Permissions
}

// Nobody is a request that is no person's: Catflap's own.
func Nobody() Person { return Person{ID: AnonymousID, Held: all} }

// Keys are the Cat's own API keys. The first means full rights at the Cat for any
// user id, so that the permission policy alone protects what it opens: plugins
// believe that everybody may do everything. The empty keys are for a Cat without any.
type Keys struct {
	http, chat string
	line       []string // the Authorization line, made once
}

// NewKeys returns the credentials of credential: api_key.
func NewKeys(httpKey, chatKey string) *Keys {
	return &Keys{http: httpKey, chat: chatKey, line: []string{"Bearer " + httpKey}}
}

// HTTP implements [Credentials].
func (k *Keys) HTTP(h http.Header, _ Person, r Route) error {
	present(h, k.http, k.line, r)
	return nil
}

// Chat implements [Credentials].
func (k *Keys) Chat(Person) (string, error) { return k.chat, nil }

// ChatRights implements [Credentials]: with a key they are the same for everybody.
func (k *Keys) ChatRights(Person) (Permissions, error) { return Base, nil }

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

// KeysAndTokens are the keys for what the Cat does itself, and minted tokens for
// what plugins act on, who look at the person's rights.
type KeysAndTokens struct {
	Keys   *Keys
	Minter *Minter
}

// HTTP implements [Credentials].
func (k *KeysAndTokens) HTTP(h http.Header, p Person, r Route) error {
	if r.Plugins {
		return k.Minter.HTTP(h, p, r)
	}
	return k.Keys.HTTP(h, p, r)
}

// Chat implements [Credentials].
func (k *KeysAndTokens) Chat(p Person) (string, error) { return k.Minter.Chat(p) }

// ChatRights implements [Credentials].
func (k *KeysAndTokens) ChatRights(p Person) (Permissions, error) { return k.Minter.ChatRights(p) }

// Account is one of the Cat's own users, with what it may do there.
type Account struct {
	ID          string
	Permissions Permissions
}

// Minter signs short-lived JWTs of the Cat's own: the user is the token's
// username, the permissions are those of the account in sub. So the Cat itself
// refuses what the policy should have refused, and its plugins see of a person's
// rights what they were granted ([Choose]).
type Minter struct {
	signer   *signer
	accounts []Account
	chat     Route
}

// NewMinter returns the credentials of credential: minted. Of two accounts that
// fit equally well the first is taken.
func NewMinter(secret []byte, accounts []Account, contract *Contract, now func() time.Time) (*Minter, error) {
	if len(secret) == 0 || len(accounts) == 0 {
		return nil, errors.New("cat: minted tokens need the Cat's secret and a service account")
	}
	s, err := newSigner(secret, now)
	if err != nil {
		return nil, err
	}
	return &Minter{signer: s, accounts: accounts, chat: contract.chat}, nil
}

// HTTP implements [Credentials]; the error is a *NoAccountError or a fault.
func (m *Minter) HTTP(h http.Header, p Person, r Route) error {
	token, err := m.token(p, r)
	if err == nil {
		present(h, token, []string{"Bearer " + token}, r)
	}
	return err
}

// Chat implements [Credentials].
func (m *Minter) Chat(p Person) (string, error) { return m.token(p, m.chat) }

// ChatRights implements [Credentials].
func (m *Minter) ChatRights(p Person) (Permissions, error) {
	i, err := Choose(m.accounts, p.Held, m.chat)
	if err != nil {
		return 0, err
	}
	return m.accounts[i].Permissions, nil
}

func (m *Minter) token(p Person, r Route) (string, error) {
	i, err := Choose(m.accounts, p.Held, r)
	if err != nil {
		return "", err
	}
	return m.tokenOf(p.ID, i)
}

func (m *Minter) tokenOf(id string, account int) (string, error) {
	return m.signer.sign(m.accounts[account].ID, id)
}
