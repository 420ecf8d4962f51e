package imports

import (
	"go/ast"
	"path"
	"slices"
	"testing"
)

// maxLines keeps a file to one idea.
const maxLines = 300

func TestHouse(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "helper", "misc", "pkg"}, path.Base(s.dir)) {
			t.Errorf("%s: a package is named after what it holds, not %s", s.name, path.Base(s.dir))
		}
		if s.test {
			continue
		}
		documented[s.dir] = documented[s.dir] || s.file.Doc != nil
		if n := s.lines(); n > maxLines {
			t.Errorf("%s has %d lines: more than one idea", s.name, n)
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: nothing happens by being imported", s.at(f))
			}
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment that says which rule it guards", dir)
		}
	}
}
