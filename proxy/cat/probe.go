package cat

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"
)

// OpenError says that the Cat lets strangers in, and by which door.
type OpenError struct{ Door, Hint string }

func (e *OpenError) Error() string { return "the Cat is open: " + e.Door + "; " + e.Hint }

// defaultSecret is the Cat 1's CCAT_JWT_SECRET when nobody sets one. Somebody who
// knows it is any user of the Cat with any account's permissions.
const defaultSecret = "secret"

// Probe looks for the Cat's open doors: a request and a socket without a
// credential, and a token signed with the secret of a fresh installation.
type Probe struct {
	Base *url.URL
	// HTTP is a client of the probe's own: it follows no redirects and uses no
	// proxy of the environment.
	HTTP *http.Client
	// TLS is how the socket speaks it; nil: by the system's rules.
	TLS *tls.Config
	// Credentials, if there are any, list the Cat's accounts.
	Credentials Credentials
	// Accounts are known ones. The secret is tried on one that may read the status.
	Accounts []Account
	// Minter, if set, makes tokens that the Cat has to take, one for each account.
	Minter *Minter
	// Documents means that a plugin has to keep documents apart.
	Documents bool
	Now       func() time.Time
}

const (
	probeTimeout = 10 * time.Second
	probeAnswer  = 1 << 20
)

// Check returns nil when the Cat refuses strangers, an *OpenError when it does
// not, *AccountErrors when it refuses them and accounts of ours too, and another
// error when that could not be found out.
func (p *Probe) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := errors.Join(p.httpDoor(ctx), p.chatDoor(ctx), p.secretDoor(ctx)); err != nil {
		return err
	}
	return p.accountDoors(ctx)
}

func (p *Probe) httpDoor(ctx context.Context) error {
	status, _, err := p.get(ctx, "/", nil)
	if err != nil {
		return err
	}
	return refused(status, &OpenError{"it answers HTTP without a credential", "set CCAT_API_KEY at the Cat"})
}

func (p *Probe) chatDoor(ctx context.Context) error {
	c, resp, err := p.handshake(ctx, "")
	if err == nil {
		return errors.Join(&OpenError{"it takes a WebSocket without a credential", "set CCAT_API_KEY_WS at the Cat"}, c.Close())
	}
	if resp == nil {
		return fmt.Errorf("the Cat can't be reached: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	return refused(resp.StatusCode, &OpenError{"it takes a WebSocket without a credential", "set CCAT_API_KEY_WS at the Cat"})
}

// handshake asks for nobody's WebSocket.
func (p *Probe) handshake(ctx context.Context, token string) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{HandshakeTimeout: probeTimeout, TLSClientConfig: p.TLS}
	return d.DialContext(ctx, ChatURL(p.Base, AnonymousID, token), nil)
}

func (p *Probe) secretDoor(ctx context.Context) error {
	account, err := p.account(ctx)
	if err != nil || account == "" {
		return err
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": account, "username": AnonymousID, "exp": p.Now().Add(time.Minute).Unix(),
	}).SignedString([]byte(defaultSecret))
	if err != nil {
		return err
	}
	status, _, err := p.get(ctx, "/", func(h http.Header) error {
		h["Authorization"] = []string{"Bearer " + token}
		return nil
	})
	if err != nil {
		return err
	}
	return refused(status, &OpenError{"it takes tokens signed with the default secret", "set CCAT_JWT_SECRET at the Cat to a random text"})
}

// account returns the id of an account that may read the Cat's status: an unknown
// one would be refused whatever the secret.
func (p *Probe) account(ctx context.Context) (string, error) {
	if p.Credentials == nil {
		for _, a := range p.Accounts {
			if a.Permissions.Has(permission("STATUS", "READ")) {
				return a.ID, nil
			}
		}
		return "", nil
	}
	users, err := listUsers(ctx, p)
	if err != nil {
		return "", err
	}
	for _, u := range users {
		if slices.Contains(u.Permissions["STATUS"], "READ") {
			return u.ID, nil
		}
	}
	return "", nil
}

// refused turns the answer to a request that had to be refused into the verdict.
func refused(status int, open *OpenError) error {
	switch {
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return nil
	case status >= http.StatusInternalServerError, status == http.StatusNotFound:
		return fmt.Errorf("the Cat answers %d where it had to refuse", status)
	}
	return open
}

func (p *Probe) get(ctx context.Context, path string, credential func(http.Header) error) (int, []byte, error) {
	return ownRequest{http.MethodGet, p.Base.JoinPath(path), nil, credential}.send(ctx, p.HTTP, probeAnswer)
}

// User is an account of the Cat as its API shows it.
type User struct {
	ID          string              `json:"id"`
	Username    string              `json:"username"`
	Permissions map[string][]string `json:"permissions"`
}

func listUsers(ctx context.Context, p *Probe) ([]User, error) {
	route, _ := V1().Route(http.MethodGet, "/users/")
	status, body, err := p.get(ctx, "/users/", func(h http.Header) error { return p.Credentials.HTTP(h, Nobody(), route) })
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return nil, errors.New("the Cat refuses Catflap's credential; is cat.api_key the Cat's CCAT_API_KEY?")
	case status != http.StatusOK:
		return nil, fmt.Errorf("the Cat answers %d to the list of its users", status)
	}
	var users []User
	if err := json.Unmarshal(body, &users); err != nil {
		return nil, fmt.Errorf("the Cat's list of users can't be read: %w", err)
	}
	return users, nil
}

// AnonymousID is the user id of requests that are nobody's. No person's id equals it.
const AnonymousID = "anonymous"
