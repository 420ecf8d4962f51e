package catuser_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/catuser"
	"github.com/catflap/catflap/config/value"
)

const secret = "the Cat's own secret, which is long enough"

// theCat is the Cat's list of users, and its login.
type theCat struct {
	clock *authtest.Clock

	mu        sync.Mutex
	users     []authhandlers.CatUser
	passwords map[string]string
	down      error
	lists     int
	asked     []string // whose password was asked for
}

func newCat(clock *authtest.Clock, names ...string) *theCat {
	c := &theCat{clock: clock, passwords: map[string]string{}}
	for i, name := range names {
		c.users = append(c.users, authhandlers.CatUser{ID: fmt.Sprintf("id-%d", i), Name: name, Permissions: []string{"own:STATUS:READ"}})
		c.passwords[name] = "password of " + name
	}
	return c
}

func (c *theCat) List(context.Context) ([]authhandlers.CatUser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists++
	return append([]authhandlers.CatUser(nil), c.users...), c.down
}

func (c *theCat) Token(_ context.Context, name, password string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, name)
	for _, u := range c.users {
		if u.Name == name && c.passwords[name] == password {
			return c.token(u, nil), c.down
		}
	}
	return "", c.down
}

// change alters the users under the lock.
func (c *theCat) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

// token is the Cat's for a user, with claims changed; nil removes one.
func (c *theCat) token(u authhandlers.CatUser, changes map[string]any) string {
	return signed(secret, jwt.SigningMethodHS256, c.claims(u, changes))
}

func (c *theCat) claims(u authhandlers.CatUser, changes map[string]any) jwt.MapClaims {
	claims := jwt.MapClaims{
		"sub": u.ID, "username": u.Name, "permissions": map[string][]string{"USERS": {"WRITE"}}, "exp": c.clock.Now().Add(time.Hour).Unix(),
	}
	for name, v := range changes {
		if claims[name] = v; v == nil {
			delete(claims, name)
		}
	}
	return claims
}

func signed(key string, method jwt.SigningMethod, claims jwt.MapClaims) string {
	var k any = []byte(key)
	if method == jwt.SigningMethodNone {
		k = jwt.UnsafeAllowNoneSignatureType
	}
	text, err := jwt.NewWithClaims(method, claims).SignedString(k)
	if err != nil {
		panic(err)
	}
	return text
}

func open(t *testing.T, env authhandlers.Env, c *theCat, login bool) authhandlers.AuthHandler {
	t.Helper()
	t.Setenv("CATUSER_SECRET", secret)
	config := catuser.NewConfig()
	config.JWTSecret, config.Login = value.Secret{Env: "CATUSER_SECRET"}, login
	env.CatUsers = c
	h, err := authhandlers.Open(t.Context(), config, env)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func rejected(err error) authhandlers.Code {
	if r, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return r.Code
	}
	return ""
}
