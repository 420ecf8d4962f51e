package cat_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/proxy/cat"
)

// TestProbeFindsAnAccountThatIsRefused: each account is tried where it may ask, and one
// that is refused stops nobody else.
func TestProbeFindsAnAccountThatIsRefused(t *testing.T) {
	const secret = "long and random"
	running, base := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: secret})
	there := running.AddAccount("there", "a password", standin.FullPermissions())
	less := running.AddAccount("less", "a password", standin.Permissions{"CONVERSATION": {"WRITE"}})
	memory, _ := cat.ParsePermissions("MEMORY:READ")
	chat, _ := cat.ParsePermissions("CONVERSATION:WRITE")
	for _, c := range []struct {
		name, secret string
		account      cat.Account
		refused      bool
	}{
		{"as it should be", secret, cat.Account{ID: there, Permissions: cat.All}, false},
		{"another secret", "another one", cat.Account{ID: there, Permissions: cat.All}, true},
		{"deleted", secret, cat.Account{ID: "00000000-0000-4000-8000-000000000000", Permissions: cat.All}, true},
		{"with fewer permissions there", secret, cat.Account{ID: less, Permissions: memory}, true},
		{"nothing to ask with", secret, cat.Account{ID: less, Permissions: chat}, false},
	} {
		p := probe(base, "http-key")
		var err error
		if p.Minter, err = cat.NewMinter([]byte(c.secret), []cat.Account{c.account}, cat.V1(), time.Now); err != nil {
			t.Fatal(err)
		}
		refused, _ := errors.AsType[*cat.AccountError](p.Check(t.Context()))
		if (refused != nil) != c.refused || refused != nil && refused.ID != c.account.ID {
			t.Errorf("%s: %v", c.name, refused)
		}
		g := cat.NewGuard(p, slog.New(slog.DiscardHandler))
		g.Look(t.Context())
		if g.Refuse() != nil || (g.Ready() != nil) != c.refused {
			t.Errorf("%s: requests %v, ready %v", c.name, g.Refuse(), g.Ready())
		}
	}
}
