package apikey_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/apikey"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/keyfile"
)

// TestConformance holds the handler to the contract: for ordinary keys, and for one that
// acts for others.
func TestConformance(t *testing.T) {
	clock := authtest.NewClock()
	path := filepath.Join(t.TempDir(), "keys.yaml")
	var keys []string
	add := func(owner, actsFor string, life time.Duration) string {
		k := keyfile.NewKey()
		e := keyfile.Entry{ID: k.ID, Hash: k.Hash, Owner: owner, ActsFor: actsFor, Permissions: []string{"base"}, Expires: clock.Now().Add(life)}
		if err := keyfile.Update(path, func(f *keyfile.File) error { f.Keys = append(f.Keys, e); return nil }); err != nil {
			t.Fatal(err)
		}
		return k.Text
	}
	for n := range 10 {
		keys = append(keys, add(fmt.Sprint("person-", n), "", time.Hour))
	}
	ended, shop := add("late", "", -time.Hour), add("shop", "shop", time.Hour)
	s := authtest.Suite{
		Clock: clock,
		Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
			h, err := authhandlers.Open(t.Context(), &apikey.Config{KeysFile: value.Path(path)}, env)
			if err != nil {
				t.Fatal(err)
			}
			return h
		},
		Request:  func(_ *testing.T, n int) *authhandlers.Request { return authtest.Bearer(keys[n]) },
		Person:   func(n int) (issuer, subject string) { return "urn:catflap:keys:test", fmt.Sprint("person-", n) },
		Lifetime: time.Hour,
		Refused: map[string]func(*testing.T) *authhandlers.Request{
			"ended":         func(*testing.T) *authhandlers.Request { return authtest.Bearer(ended) },
			"unknown":       func(*testing.T) *authhandlers.Request { return authtest.Bearer(keyfile.NewKey().Text) },
			"cut":           func(*testing.T) *authhandlers.Request { return authtest.Bearer(keys[0][:50]) },
			"nobody's name": func(*testing.T) *authhandlers.Request { return authtest.Bearer(shop) },
			"on a WebSocket": func(*testing.T) *authhandlers.Request {
				r := onBehalf(shop, "ada")
				r.Kind = authhandlers.KindWebSocket
				return r
			},
		},
	}
	authtest.Run(t, s)
}
