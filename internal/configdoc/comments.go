package configdoc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

const module = "github.com/catflap/catflap"

// comments reads the comments of Go types from the source below a folder.
type comments struct {
	root     string
	packages map[string]map[string]typeComment // by import path and name of the type
}

type typeComment struct {
	text   string
	fields map[string]string // by the name in Go
}

func newComments(root string) *comments {
	return &comments{root: root, packages: map[string]map[string]typeComment{}}
}

// of returns the comment of a type, whose package must be of this module.
func (c *comments) of(t reflect.Type) (typeComment, error) {
	types, ok := c.packages[t.PkgPath()]
	if !ok {
		var err error
		if types, err = c.read(t.PkgPath()); err != nil {
			return typeComment{}, err
		}
		c.packages[t.PkgPath()] = types
	}
	found, ok := types[t.Name()]
	if !ok {
		return typeComment{}, fmt.Errorf("the source of %s is not to be found", t)
	}
	return found, nil
}

func (c *comments) read(pkg string) (map[string]typeComment, error) {
	below, ok := strings.CutPrefix(pkg, module)
	if !ok {
		return nil, fmt.Errorf("%s is not of this module", pkg)
	}
	files, err := filepath.Glob(filepath.Join(c.root, below, "*.go"))
	if err != nil {
		return nil, err
	}
	types := map[string]typeComment{}
	for _, name := range files {
		source, err := os.ReadFile(name) //nolint:gosec // our own source
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		collect(file, types)
	}
	return types, nil
}

func collect(file *ast.File, types map[string]typeComment) {
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.TYPE {
			continue
		}
		for _, spec := range group.Specs {
			named := spec.(*ast.TypeSpec)
			structure, ok := named.Type.(*ast.StructType)
			if !ok {
				continue
			}
			doc := named.Doc
			if doc == nil {
				doc = group.Doc
			}
			t := typeComment{text: paragraphs(doc), fields: map[string]string{}}
			for _, f := range structure.Fields.List {
				for _, name := range f.Names {
					t.fields[name.Name] = paragraphs(f.Doc)
				}
			}
			types[named.Name.Name] = t
		}
	}
}

// paragraphs joins the lines of a comment; empty lines stay between paragraphs.
func paragraphs(doc *ast.CommentGroup) string {
	var l []string
	for p := range strings.SplitSeq(strings.TrimSpace(doc.Text()), "\n\n") {
		l = append(l, strings.Join(strings.Fields(p), " "))
	}
	return strings.Join(l, "\n\n")
}
