package imports

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGlossary holds the glossary to the source: what it names as code is a type there.
func TestGlossary(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "glossary.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, sockets, ok := strings.Cut(string(text), "## Live sockets")
	if !ok {
		t.Fatal("the glossary has no section on live sockets")
	}
	sockets, _, _ = strings.Cut(sockets, "## Several")
	types := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				types[path.Base(s.dir)+"."+spec.Name.Name] = true
			}
			return true
		})
	}
	named := regexp.MustCompile("`([A-Za-z.]+)`").FindAllStringSubmatch(sockets, -1)
	if len(named) < 10 {
		t.Fatalf("only %d types are named", len(named))
	}
	for _, m := range named {
		name := m[1]
		if !strings.Contains(name, ".") {
			name = "chat." + name
		}
		if !types[name] {
			t.Errorf("docs/glossary.md names %s, which is no type", m[1])
		}
	}
}
