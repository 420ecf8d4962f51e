package jwt_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	issuerName = "https://issuer.example"
	audience   = "catflap"
)

// newKey makes a key or fails.
func newKey(t testing.TB, id, algorithm string) *issuer.Key {
	t.Helper()
	k, err := issuer.NewKey(id, algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keySet writes a key set document.
func keySet(t testing.TB, jwks ...map[string]any) value.Path {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": jwks})
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "keys.json", text)
}

func write(t testing.TB, name string, text []byte) value.Path {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return value.Path(path)
}

// open opens a handler for issuerName; change may change its configuration.
func open(t testing.TB, env authhandlers.Env, keys value.Path, change func(*jwt.Config)) authhandlers.AuthHandler {
	t.Helper()
	c := jwt.NewConfig()
	c.Issuer, c.Audiences, c.Keys.JWKSFile = issuerName, []string{audience}, keys
	if change != nil {
		change(c)
	}
	return openConfig(t, env, c)
}

func openConfig(t testing.TB, env authhandlers.Env, c *jwt.Config) authhandlers.AuthHandler {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	h, err := authhandlers.Open(ctx, c, env)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// chain asks handlers as the proxy does.
func chain(t testing.TB, clock *authtest.Clock, handlers ...authhandlers.AuthHandler) *authhandlers.Chain {
	t.Helper()
	var links []authhandlers.Link
	for i, h := range handlers {
		l := authhandlers.Link{Name: "h" + strconv.Itoa(i), Handler: h}
		if i > 0 {
			l.Alias = l.Name
		}
		links = append(links, l)
	}
	c, err := authhandlers.NewChain(clock.Now, links...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// code returns the code of a refusal, "" for none, and the text of a fault.
func code(err error) string {
	var r *authhandlers.Rejection
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r):
		return string(r.Code)
	case errors.Is(err, authhandlers.ErrNoCredential):
		return "no credential"
	}
	return "fault: " + err.Error()
}
