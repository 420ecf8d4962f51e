package cat

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Accounts makes and lists the Cat's own users through its API.
type Accounts struct {
	Base        *url.URL
	HTTP        *http.Client
	Credentials Credentials
}

// List returns the Cat's users.
func (a *Accounts) List(ctx context.Context) ([]User, error) {
	return listUsers(ctx, &Probe{Base: a.Base, HTTP: a.HTTP, Credentials: a.Credentials})
}

// Create makes a user with these permissions and returns it. Its password is
// random and told to nobody: the account is for minted tokens only.
func (a *Accounts) Create(ctx context.Context, username string, permissions Permissions) (*User, error) {
	route, _ := V1().Route(http.MethodPost, "/users/")
	body, err := json.Marshal(map[string]any{
		"username": username, "password": rand.Text() + rand.Text(), "permissions": permissions.ByResource(),
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Base.JoinPath(route.Path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	SetIdentity(req.Header, AnonymousID)
	if err := a.Credentials.HTTP(req.Header, Nobody(), route); err != nil {
		return nil, err
	}
	resp, err := a.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the Cat can't be reached: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	answer, err := io.ReadAll(io.LimitReader(resp.Body, probeAnswer))
	if err != nil {
		return nil, fmt.Errorf("the Cat's answer broke off: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated:
	case http.StatusForbidden, http.StatusUnauthorized:
		return nil, fmt.Errorf("the Cat refuses to create %q: the name exists already, or Catflap's credential may not create users", username)
	default:
		return nil, fmt.Errorf("the Cat answers %d to the new user %q", resp.StatusCode, username)
	}
	var u User
	if err := json.Unmarshal(answer, &u); err != nil || u.ID == "" {
		return nil, errors.New("the Cat's answer to a new user has no id")
	}
	return &u, nil
}
