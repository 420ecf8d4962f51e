package proxy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestStepsAreAsDrawn: run takes the steps in the order in which the README draws them, and
// in which the comment of the package names them.
func TestStepsAreAsDrawn(t *testing.T) {
	methods := exchangeMethods(t)
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## The way of a request\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var drawn []string
	for _, row := range regexp.MustCompile(`(?m)\|(.*)\|`).FindAllStringSubmatch(section, -1) { // what is in the box
		for _, word := range regexp.MustCompile(`[a-z]+`).FindAllString(row[1], -1) {
			if methods[word] != nil {
				drawn = append(drawn, word)
			}
		}
	}
	named, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(strings.ReplaceAll(string(named), "\n//", ""), "the way of a request: ")
	list, _, _ = strings.Cut(list, ".")
	if !slices.Equal(drawn, strings.Split(list, ", ")) {
		t.Errorf("the README draws %v, and doc.go names %s", drawn, list)
	}
	if got := steps(methods, drawn, "run"); !slices.Equal(got, drawn) {
		t.Errorf("run takes %v, and the README draws %v", got, drawn)
	}
}

// exchangeMethods are the bodies of the exchange's methods.
func exchangeMethods(t *testing.T) map[string]*ast.BlockStmt {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string]*ast.BlockStmt{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			of, _ := f.Recv.List[0].Type.(*ast.StarExpr)
			if of == nil {
				continue
			}
			if name, ok := of.X.(*ast.Ident); ok && name.Name == "exchange" {
				methods[f.Name.Name] = f.Body
			}
		}
	}
	return methods
}

// steps are the drawn methods in the order in which a method comes to the end of each.
func steps(methods map[string]*ast.BlockStmt, drawn []string, method string) (taken []string) {
	ast.Inspect(methods[method], func(n ast.Node) bool {
		call, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(drawn, call.Sel.Name) {
			return true
		}
		if on, ok := call.X.(*ast.Ident); ok && on.Name == "ex" {
			taken = append(append(taken, steps(methods, drawn, call.Sel.Name)...), call.Sel.Name)
		}
		return true
	})
	return taken
}
