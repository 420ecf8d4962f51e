package cat_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

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

// FuzzChunks: what one person's search reads is never another's, whatever the ids, and
// the search holds the id as a value.
func FuzzChunks(f *testing.F) {
	const document = "0123456789abcdef0123456789abcdef"
	for _, ids := range [][2]string{
		{"staff:alice", "staff:bob"}, {"a", "A"}, {"a", "a "}, {`we"ird`, `we\"ird`}, {"a\xff", "a\ufffd"}, {"", "a"}, {`{"$ne":1}`, "*"}, {"\u00e9", "e\u0301"}, {"a\x00", "a"},
	} {
		f.Add(ids[0], ids[1])
	}
	f.Fuzz(func(t *testing.T, mine, theirs string) {
		if mine == theirs || !utf8.ValidString(mine) || !utf8.ValidString(theirs) {
			return // JSON has no other texts
		}
		mark := map[string]any{"owner": theirs, "document": document, "chunk": 0, "folder": "own"}
		answer, err := json.Marshal(map[string]any{"vectors": map[string]any{"collections": map[string]any{"declarative": []any{
			map[string]any{"id": "ab", "metadata": map[string]any{"catflap": mark}},
		}}}})
		if err != nil {
			t.Fatal(err)
		}
		found, err := cat.Chunks{Owner: mine}.Read(bytes.NewReader(answer))
		if err != nil || len(found.Chunks) != 0 || found.All || found.Strange != 1 {
			t.Errorf("%q reads %+v of %q, %v", mine, found, theirs, err)
		}
		_, body, err := cat.Chunks{Owner: mine}.Request()
		if err != nil {
			t.Fatal(err)
		}
		var q struct {
			Metadata map[string]map[string]any
		}
		if err := json.Unmarshal(body, &q); err != nil || len(q.Metadata) != 1 || len(q.Metadata["catflap"]) != 1 ||
			q.Metadata["catflap"]["owner"] != mine {
			t.Errorf("%q searches by %s, %v", mine, body, err)
		}
	})
}
