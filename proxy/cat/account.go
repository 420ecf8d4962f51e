package cat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
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
	prove := func(h http.Header) error { return a.Credentials.HTTP(h, Nobody(), route) }
	status, answer, err := ownRequest{http.MethodPost, a.Base.JoinPath(route.Path), body, prove}.send(ctx, a.HTTP, probeAnswer)
	if err != nil {
		return nil, err
	}
	switch status {
	case http.StatusOK, http.StatusCreated:
	case http.StatusForbidden, http.StatusUnauthorized:
		return nil, fmt.Errorf("the Cat refuses to create %q: the name exists already, or Catflap's credential may not create users", username)
	default:
		return nil, fmt.Errorf("the Cat answers %d to the new user %q", status, username)
	}
	var u User
	if err := json.Unmarshal(answer, &u); err != nil || u.ID == "" {
		return nil, errors.New("the Cat's answer to a new user has no id")
	}
	return &u, nil
}
