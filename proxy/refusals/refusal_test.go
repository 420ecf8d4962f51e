package refusals

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

// TestTable: each row says what an operator needs, in one line of a table.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Table() {
		if seen[r.named()] || r.Cause == "" || r.Do == "" || strings.ContainsAny(r.When+r.Cause+r.Do, "|\n") {
			t.Errorf("the row of %s is no row, or there twice", r.named())
		}
		seen[r.named()] = true
		for _, s := range r.Status {
			if s != clientLeft && (s < 400 || http.StatusText(s) == "") {
				t.Errorf("%s is answered with %d", r.Code, s)
			}
		}
	}
}

// TestTableIsWhole: each code of the source is in the table, each of the table is answered
// with somewhere, and none is made anywhere else.
func TestTableIsWhole(t *testing.T) {
	s := readSource(t)
	if len(s.declared) < 80 || len(s.takers) < 5 {
		t.Fatalf("only %d codes and %d functions that take one: has the source changed its form?", len(s.declared), len(s.takers))
	}
	codes := Codes()
	for name, code := range s.declared {
		if !slices.Contains(codes, code) {
			t.Errorf("the table has no row for %s", code)
		}
		if s.used[name] == 0 {
			t.Errorf("nothing answers with %s", code)
		}
	}
	if len(codes) != len(s.declared) {
		t.Errorf("the table has %d codes, the source %d", len(codes), len(s.declared))
	}
	for _, at := range s.strays {
		t.Errorf("%s: a code that is not of the table", at)
	}
}

// TestStatus: a refusal that is written out has a status that the table has for its code.
func TestStatus(t *testing.T) {
	s := readSource(t)
	if len(s.written) < 30 {
		t.Fatalf("only %d refusals are written out", len(s.written))
	}
	for _, w := range s.written {
		code := s.declared[w.name]
		if !slices.ContainsFunc(Table(), func(r Refusal) bool { return r.Code == code && slices.Contains(statusNames(r), w.status) }) {
			t.Errorf("%s: %s is answered with %s, which the table does not say", w.at, code, w.status)
		}
	}
}

// statusNames are the statuses of a row as the source writes them.
func statusNames(r Refusal) (l []string) {
	for _, s := range r.Status {
		words := strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(s))
		l = append(l, strconv.Itoa(s), "Status"+words)
	}
	return l
}

// source is what the module's files say of codes.
type source struct {
	declared map[string]authhandlers.Code // by the constant, with the name of its package
	used     map[string]int               // how often, the table left out
	takers   map[string]int               // functions that take a code, and in which place
	written  []written
	strays   []string
}

// written is a status beside a code.
type written struct{ at, name, status string }

// homes are the packages that have codes.
func homes() []string { return []string{"authhandlers", "proxy/refusals"} }

// readSource reads the module with the parser alone.
func readSource(t *testing.T) *source {
	t.Helper()
	root := filepath.Join("..", "..")
	fset := token.NewFileSet()
	files := map[string][]*ast.File{} // by the package's folder
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "e2e" || d.Name() == "examples"):
			return filepath.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, filepath.Dir(name))
		files[filepath.ToSlash(below)] = append(files[filepath.ToSlash(below)], file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &source{declared: map[string]authhandlers.Code{}, used: map[string]int{}, takers: map[string]int{}}
	each := func(read func(dir string, n ast.Node) bool) {
		for dir, list := range files {
			for _, file := range list {
				ast.Inspect(file, func(n ast.Node) bool { return read(dir, n) })
			}
		}
	}
	at := func(n ast.Node) string { return fset.Position(n.Pos()).String() }
	each(func(dir string, n ast.Node) bool { s.declaration(dir, n, at); return true })
	each(func(dir string, n ast.Node) bool { s.use(dir, n, at); return true })
	return s
}

// isCode reports the type of a code.
func isCode(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "Code"
	case *ast.SelectorExpr:
		of, ok := e.X.(*ast.Ident)
		return ok && of.Name == "authhandlers" && e.Sel.Name == "Code"
	}
	return false
}

// declaration notes the constants, and the functions that take a code. What is named a
// reason ends somebody's access, and is no answer.
func (s *source) declaration(dir string, n ast.Node, at func(ast.Node) string) {
	switch n := n.(type) {
	case *ast.ValueSpec:
		if !isCode(n.Type) || len(n.Values) == 0 {
			return
		}
		name := n.Names[0].Name
		code, err := strconv.Unquote(n.Values[0].(*ast.BasicLit).Value)
		switch {
		case slices.Contains(homes(), dir) && err == nil:
			s.declared[filepath.Base(dir)+"."+name] = authhandlers.Code(code)
		case !strings.HasPrefix(strings.ToLower(name), "reason"):
			s.strays = append(s.strays, at(n))
		}
	case *ast.FuncDecl:
		place := 0
		for _, p := range n.Type.Params.List {
			if isCode(p.Type) {
				s.takers[n.Name.Name] = place
			}
			place += max(1, len(p.Names))
		}
	}
}

// use notes what is done with the codes. The table itself does not count.
func (s *source) use(dir string, n ast.Node, at func(ast.Node) string) {
	text := func(e ast.Expr) bool {
		l, ok := e.(*ast.BasicLit)
		return ok && l.Kind == token.STRING
	}
	stray := false
	switch n := n.(type) {
	case *ast.Ident:
		if name := "authhandlers." + n.Name; dir == "authhandlers" && s.declared[name] != "" {
			s.used[name]++
		}
	case *ast.ValueSpec:
		if isCode(n.Type) && dir == "authhandlers" {
			s.used["authhandlers."+n.Names[0].Name]-- // which the name in it counts
		}
	case *ast.SelectorExpr:
		if name := selected(n); dir != "proxy/refusals" && s.declared[name] != "" {
			s.used[name]++
		}
	case *ast.CallExpr:
		place, takes := s.takers[called(n)]
		stray = takes && place < len(n.Args) && text(n.Args[place]) || isCode(n.Fun) && text(n.Args[0])
	case *ast.KeyValueExpr:
		key, ok := n.Key.(*ast.Ident)
		stray = ok && strings.EqualFold(key.Name, "code") && text(n.Value) && strings.HasPrefix(dir, "proxy")
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			field, ok := l.(*ast.SelectorExpr)
			stray = stray || ok && strings.EqualFold(field.Sel.Name, "code") && len(n.Rhs) == len(n.Lhs) && text(n.Rhs[i]) && strings.HasPrefix(dir, "proxy")
		}
	case *ast.CompositeLit:
		s.literal(n, at)
	}
	if stray {
		s.strays = append(s.strays, at(n))
	}
}

// literal notes a status that stands beside a code.
func (s *source) literal(n *ast.CompositeLit, at func(ast.Node) string) {
	w := written{at: at(n)}
	for _, e := range n.Elts {
		field, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		switch key, _ := field.Key.(*ast.Ident); {
		case key == nil:
		case strings.EqualFold(key.Name, "code"):
			w.name = selected(field.Value)
		case strings.EqualFold(key.Name, "status"):
			if l, ok := field.Value.(*ast.BasicLit); ok {
				w.status = l.Value
			}
			if name := selected(field.Value); name != "" {
				_, w.status, _ = strings.Cut(name, ".")
			}
		}
	}
	if s.declared[w.name] != "" && w.status != "" {
		s.written = append(s.written, w)
	}
}

// selected is a name with that of its package, such as http.StatusOK.
func selected(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if of, ok := s.X.(*ast.Ident); ok {
			return of.Name + "." + s.Sel.Name
		}
	}
	return ""
}

// called is the name of the function that is called.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
