package imports

import (
	"go/ast"
	"strconv"
	"testing"
)

// home says where something is used that one idea alone needs. Others take the package
// of the idea.
type home struct {
	what  string // the path of a package, or the name of a function or method
	lives string // patterns, separated by spaces; none means that nobody needs it
	idea  string
}

func homes() []home {
	return []home{
		{"container/heap", "internal/deadline", "internal/deadline orders by time"},
		{"crypto/hkdf", "internal/seal", "internal/seal derives keys"},
		{"crypto/aes", "internal/seal", "internal/seal encrypts"},
		{"crypto/cipher", "internal/seal", "internal/seal encrypts"},
		{"Strict", "internal/base64url", "internal/base64url takes one text of each value"},
		{"math/rand/v2", "internal/backoff", "internal/backoff spreads what many do"},
		{"golang.org/x/sync/singleflight", "", "internal/flight works once for all"},
		{"SetGCPercent", "internal/gctune", "internal/gctune paces the collector"},
		{"SetMemoryLimit", "internal/gctune", "internal/gctune paces the collector"},
		{"FreeOSMemory", "internal/gctune", "internal/gctune paces the collector"},
		// The demonstration listens at addresses alone, never at a name.
		{"IsLoopback", "internal/loopback internal/demo", "internal/loopback knows this machine"},
	}
}

// looksFromOutside are the packages that measure and test the product, and take nothing
// of it.
const looksFromOutside = "internal/bench/** internal/e2e/**"

func TestOneHome(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || anyFits(looksFromOutside, s.dir) {
			continue
		}
		uses := usesOf(t, s)
		for _, h := range homes() {
			at := uses[h.what]
			if at == nil {
				continue
			}
			if used[h.what] = true; !anyFits(h.lives, s.dir) {
				t.Errorf("%s: %s, so %s has no place in %s", s.at(at), h.idea, h.what, s.dir)
			}
		}
	}
	for _, h := range homes() {
		if !used[h.what] && h.lives != "" {
			t.Errorf("%s is used nowhere, not even in %s; remove the row", h.what, h.lives)
		}
	}
}

// usesOf returns the packages that a file imports and the names that it selects, with a
// place of each.
func usesOf(t *testing.T, s source) map[string]ast.Node {
	t.Helper()
	uses := map[string]ast.Node{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			uses[n.Sel.Name] = n
		case *ast.ImportSpec:
			path, err := strconv.Unquote(n.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			uses[path] = n
		}
		return true
	})
	return uses
}
