package cat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Users asks the Cat about its own users, for those of them who are people.
type Users struct {
	Base *url.URL
	// HTTP follows no redirects and uses no proxy of the environment.
	HTTP        *http.Client
	Credentials Credentials
	// Accounts are Catflap's own, which are nobody's.
	Accounts []Account
}

const (
	usersPage  = 1000
	usersMost  = 50_000
	usersBytes = 4 << 20 // of one page
	tokenBytes = 64 << 10
)

// Named are the user's permissions as a set. What this version does not know is left out.
func (u *User) Named() Permissions {
	var set Permissions
	for resource, actions := range u.Permissions {
		for _, action := range actions {
			if p := permission(resource, action); p != None {
				set |= PermissionsOf(p) & all
			}
		}
	}
	return set
}

// List returns all of the Cat's users but Catflap's own. An incomplete list is an error.
func (u *Users) List(ctx context.Context) ([]User, error) {
	route, _ := V1().Route(http.MethodGet, "/users/")
	var list []User
	for skip := 0; ; skip += usersPage {
		if skip >= usersMost {
			return nil, fmt.Errorf("the Cat has more than %d users", usersMost)
		}
		query := url.Values{"skip": {strconv.Itoa(skip)}, "limit": {strconv.Itoa(usersPage)}}
		status, body, err := u.do(ctx, http.MethodGet, route, query, nil, usersBytes)
		switch {
		case err != nil:
			return nil, err
		case status == http.StatusForbidden, status == http.StatusUnauthorized:
			return nil, errors.New("the Cat does not let Catflap list its users: is cat.api_key the Cat's CCAT_API_KEY, or is there a service account with USERS:LIST?")
		case status != http.StatusOK:
			return nil, fmt.Errorf("the Cat answers %d to the list of its users", status)
		}
		var page []User
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, errors.New("the Cat's list of users can't be read")
		}
		list = append(list, page...)
		if len(page) < usersPage {
			return slices.DeleteFunc(list, u.isOurs), nil
		}
	}
}

func (u *Users) isOurs(user User) bool {
	return slices.ContainsFunc(u.Accounts, func(a Account) bool { return a.ID == user.ID })
}

// GivenToken is the Cat's answer to a name and a password.
type GivenToken struct {
	Token string `json:"access_token"`
	Type  string `json:"token_type"`
}

// Token asks the Cat for a token by name and password, and returns "" where the Cat
// does not take them. It takes the Cat a second or more, in which it does little else.
func (u *Users) Token(ctx context.Context, name, password string) (string, error) {
	route, _ := V1().Route(http.MethodPost, LoginToken)
	body, err := json.Marshal(map[string]string{"username": name, "password": password})
	if err != nil {
		return "", err
	}
	status, answer, err := u.do(ctx, http.MethodPost, route, nil, body, tokenBytes)
	switch {
	case err != nil:
		return "", err
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return "", nil
	case status != http.StatusOK:
		return "", fmt.Errorf("the Cat answers %d to a login", status)
	}
	var given GivenToken
	if err := json.Unmarshal(answer, &given); err != nil || given.Token == "" {
		return "", errors.New("the Cat's answer to a login has no token")
	}
	return given.Token, nil
}

// SetPermissions changes what a user may do at the Cat.
func (u *Users) SetPermissions(ctx context.Context, id string, permissions Permissions) error {
	route, _ := V1().Route(http.MethodPut, "/users/"+id)
	body, err := json.Marshal(map[string]any{"permissions": permissions.ByResource()})
	if err != nil {
		return err
	}
	return u.done(ctx, http.MethodPut, route, body)
}

// markName is the name of the setting that says that a user was made for a person. The
// Cat reads a search as a pattern, in which a digest means itself.
func markName(person string) string {
	sum := sha256.Sum256([]byte(person))
	return "catflap_person_" + hex.EncodeToString(sum[:])
}

// Marked reports whether a user was ever made for a person: the Cat remembers it, when
// an administrator has deleted the user.
func (u *Users) Marked(ctx context.Context, person string) (bool, error) {
	route, _ := V1().Route(http.MethodGet, "/settings/")
	status, body, err := u.do(ctx, http.MethodGet, route, url.Values{"search": {markName(person)}}, nil, tokenBytes)
	if err != nil {
		return false, err
	}
	var found struct {
		Settings []struct {
			Name string `json:"name"`
		} `json:"settings"`
	}
	if status != http.StatusOK || json.Unmarshal(body, &found) != nil {
		return false, fmt.Errorf("the Cat answers %d to the question whether a user was made", status)
	}
	for _, s := range found.Settings {
		if s.Name == markName(person) {
			return true, nil
		}
	}
	return false, nil
}

// Mark has the Cat remember that a user was made for a person.
func (u *Users) Mark(ctx context.Context, person string) error {
	route, _ := V1().Route(http.MethodPost, "/settings/")
	body, err := json.Marshal(map[string]any{"name": markName(person), "value": map[string]string{"person": person}, "category": "catflap"})
	if err != nil {
		return err
	}
	return u.done(ctx, http.MethodPost, route, body)
}

func (u *Users) done(ctx context.Context, method string, route Route, body []byte) error {
	status, _, err := u.do(ctx, method, route, nil, body, usersBytes)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("the Cat answers %d to %s", status, route.Pattern)
	}
	return err
}

// do sends one request of Catflap's own. A login goes without a credential, as anybody's.
func (u *Users) do(ctx context.Context, method string, route Route, query url.Values, body []byte, most int64) (int, []byte, error) {
	r := ownRequest{method: method, at: u.Base.JoinPath(route.Path), body: body}
	r.at.RawQuery = query.Encode()
	if !route.Admin {
		r.prove = func(h http.Header) error { return u.Credentials.HTTP(h, Nobody(), route) }
	}
	status, answer, err := r.send(ctx, u.HTTP, most+1)
	if err == nil && int64(len(answer)) > most {
		return 0, nil, errors.New("the Cat's answer is too large")
	}
	return status, answer, err
}
