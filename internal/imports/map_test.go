package imports

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheMapNamesEachPackage: a reader of CONTRIBUTING.md finds each folder that stands at
// the top, and each below internal, and no other.
func TestTheMapNamesEachPackage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "## Where things are")
	table, _, ended := strings.Cut(table, "\n## ")
	if !found || !ended {
		t.Fatal("there is no map")
	}
	have := map[string]bool{}
	for _, s := range sources(t) {
		parts := strings.Split(s.dir, "/")
		have[strings.Join(parts[:min(len(parts), 2)], "/")] = true // internal/wait, proxy/chat
		have[parts[0]] = true
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z]+(?:/[a-z0-9]+)*)/?`").FindAllStringSubmatch(table, -1) {
		named[m[1]] = true
		if !have[m[1]] {
			t.Errorf("CONTRIBUTING.md names %s, which holds no Go file", m[1])
		}
	}
	for dir := range have {
		top := !strings.Contains(dir, "/") && dir != "." && dir != "internal" && dir != "examples"
		if (top || strings.HasPrefix(dir, "internal/")) && !named[dir] {
			t.Errorf("CONTRIBUTING.md's map does not name %s", dir)
		}
	}
}

// TestTheCatsPageNamesFiles: docs/the-cat.md names no file that is not there.
func TestTheCatsPageNamesFiles(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "the-cat.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:proxy|internal|authhandlers)[a-z0-9_./]*)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 20 {
		t.Fatalf("%d files are named", len(named))
	}
	for _, m := range named {
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Errorf("docs/the-cat.md names %s: %v", m[1], err)
		}
	}
}
