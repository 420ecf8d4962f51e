package cat_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/proxy/cat"
)

// TestGuardMissesThePlugin: private documents need a plugin at the Cat, and an operator
// is told where it is not.
func TestGuardMissesThePlugin(t *testing.T) {
	for _, tt := range []struct{ private, plugin, note bool }{{true, false, true}, {true, true, false}, {false, false, false}} {
		_, base := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random", DocumentsPlugin: tt.plugin})
		p := probe(base, "http-key")
		p.Documents = tt.private
		var log bytes.Buffer
		g := cat.NewGuard(p, slog.New(slog.NewTextHandler(&log, nil)))
		for range 2 {
			if !g.Look(t.Context()) {
				t.Fatal(g.Refuse())
			}
		}
		if got := strings.Join(g.Notes(), "\n"); strings.Contains(got, "cat.documents is private") != tt.note {
			t.Errorf("%+v: notes %q", tt, got)
		}
		if n := strings.Count(log.String(), "documents are not kept apart"); (n == 1) != tt.note || n > 1 {
			t.Errorf("%+v: told %d times", tt, n)
		}
		_, p.Base = start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random", DocumentsPlugin: true})
		if !g.Look(t.Context()) || len(g.Notes()) > 0 {
			t.Errorf("%+v: with the plugin the note stays", tt)
		}
	}
}

func TestDocumentsUnfit(t *testing.T) {
	for names, fits := range map[string]bool{"*": true, "MEMORY:READ MEMORY:DELETE": true, "MEMORY:READ": false, "MEMORY:DELETE": false, "CONVERSATION:*": false} {
		set, err := cat.ParsePermissions(strings.Fields(names)[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(names)[1:] {
			more, err := cat.ParsePermissions(name)
			if err != nil {
				t.Fatal(err)
			}
			set |= more
		}
		if got := cat.DocumentsUnfit([]cat.Account{{ID: "a", Permissions: set}}); (got == nil) != fits {
			t.Errorf("%s: %v", names, got)
		}
	}
}
