package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/catflap/catflap/"

// source is one Go file of the module.
type source struct {
	name string // below the module's folder, with slashes
	dir  string // the package, in the same way
	test bool
	file *ast.File
	fset *token.FileSet
}

// lines is how long the file is.
func (s source) lines() int { return s.fset.File(s.file.Pos()).LineCount() }

// at is the place of a node, for an error.
func (s source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	p.Filename = s.name
	return p.String()
}

// sources reads the module with the parser alone: neither a build tag nor a package
// that does not compile hides one.
func sources(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..", "..")
	var all []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		below = filepath.ToSlash(below)
		if d.IsDir() {
			if below != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || otherModule(below) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(below, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{below, path.Dir(below), strings.HasSuffix(below, "_test.go"), file, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("only %d files: is this the module's folder?", len(all))
	}
	return all
}

// otherModule reports the folder of an example, which is a module of its own.
func otherModule(dir string) bool {
	parent, _ := path.Split(dir)
	return parent == "examples/"
}
