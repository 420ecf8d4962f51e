package imports

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// The limits of the house. What is larger holds more than one idea, and has a line in
// exceptions with the reason, or is made smaller.
const (
	maxPackageLines = 2500
	maxPackageFiles = 20
	maxFuncLines    = 60
	maxComplexity   = 15
	maxFields       = 15
	maxMethods      = 20
)

// exception names what is over a limit: a package, or a function or type of one. One
// that is not needed any more is a fault of the table.
type exception struct {
	what   string // package, package.Type, package.Func, package.Type.Method, or package.*
	limit  string
	reason string
}

// means reports whether the exception is of something.
func (e exception) means(what string) bool {
	if dir, ok := strings.CutSuffix(e.what, "*"); ok {
		rest, ok := strings.CutPrefix(what, dir)
		return ok && !strings.Contains(rest, "/")
	}
	return e.what == what
}

const (
	ofPackage  = "package"   // more lines or files
	ofMethods  = "elsewhere" // methods in another file than their type
	ofFunction = "function"  // more lines, or more branches
	ofType     = "type"      // more fields, or more methods
)

// TestNames: a package is named after the one idea that it holds, says which rule it
// guards, and does nothing by being imported.
func TestNames(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "helper", "misc", "pkg"}, path.Base(s.dir)) {
			t.Errorf("%s: a package is named after what it holds, not %s", s.name, path.Base(s.dir))
		}
		if s.test {
			continue
		}
		documented[s.dir] = documented[s.dir] || s.file.Doc != nil
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

// TestLimits holds packages, functions and types to a size that a reader can hold.
func TestLimits(t *testing.T) {
	over := map[exception]string{} // without reasons, to where and how much
	found := func(what, limit, where string) {
		over[exception{what: what, limit: limit}] = where
	}
	for dir, p := range packages(t) {
		if p.lines > maxPackageLines || p.files > maxPackageFiles {
			found(dir, ofPackage, sprint(p.lines, "lines in", p.files, "files"))
		}
		for name, f := range p.funcs {
			if f.lines > maxFuncLines || f.branches > maxComplexity {
				found(dir+"."+name, ofFunction, sprint(f.at, f.lines, "lines, complexity", f.branches))
			}
		}
		for name, ty := range p.types {
			if ty.fields > maxFields || ty.methods > maxMethods {
				found(dir+"."+name, ofType, sprint(ty.at, ty.fields, "fields,", ty.methods, "methods"))
			}
			if len(ty.elsewhere) > 0 {
				found(dir+"."+name, ofMethods, sprint(ty.at, "methods in", strings.Join(ty.elsewhere, ", ")))
			}
		}
	}
	for _, e := range exceptions() {
		if e.reason == "" {
			t.Errorf("the exception of %s has no reason", e.what)
		}
		before := len(over)
		maps.DeleteFunc(over, func(o exception, _ string) bool { return o.limit == e.limit && e.means(o.what) })
		if len(over) == before {
			t.Errorf("%s needs no exception (%s) any more: remove it", e.what, e.limit)
		}
	}
	for e, where := range over {
		t.Errorf("%s is over the limit (%s): %s", e.what, e.limit, where)
	}
}

// size is what a package holds, without its tests.
type size struct {
	lines, files int
	funcs        map[string]funcSize
	types        map[string]*typeSize
}

type funcSize struct {
	at              string
	lines, branches int
}

type typeSize struct {
	at              string
	file            string
	fields, methods int
	elsewhere       []string // files with methods of it, but its own
}

func packages(t *testing.T) map[string]*size {
	all := map[string]*size{}
	var files []source
	for _, s := range sources(t) {
		if s.test || strings.HasPrefix(s.dir, "examples") {
			continue
		}
		files = append(files, s)
		p := all[s.dir]
		if p == nil {
			p = &size{funcs: map[string]funcSize{}, types: map[string]*typeSize{}}
			all[s.dir] = p
		}
		p.lines += s.lines()
		p.files++
		ast.Inspect(s.file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				ty := &typeSize{at: s.at(spec), file: s.name}
				if st, ok := spec.Type.(*ast.StructType); ok {
					ty.fields = st.Fields.NumFields()
				}
				p.types[spec.Name.Name] = ty
			}
			return true
		})
	}
	for _, s := range files {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			name := f.Name.Name
			if of := receiver(f); of != "" {
				name = of + "." + name
				all[s.dir].method(of, s)
			}
			lines := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			all[s.dir].funcs[name] = funcSize{s.at(f), lines, branches(f.Body)}
		}
	}
	return all
}

// method counts a method. One for a platform stands in that platform's file.
func (p *size) method(of string, s source) {
	ty := p.types[of]
	if ty == nil {
		return
	}
	ty.methods++
	base := strings.TrimSuffix(path.Base(s.name), ".go")
	platform := slices.ContainsFunc([]string{"_unix", "_linux", "_other", "_windows", "_darwin"}, func(end string) bool { return strings.HasSuffix(base, end) })
	if s.name != ty.file && !platform && !slices.Contains(ty.elsewhere, path.Base(s.name)) {
		ty.elsewhere = append(ty.elsewhere, path.Base(s.name))
	}
}

// receiver names the type of a method; empty for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	for {
		switch t := of.(type) {
		case *ast.StarExpr:
			of = t.X
		case *ast.IndexExpr:
			of = t.X
		case *ast.IndexListExpr:
			of = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// branches is the cyclomatic complexity of a function: one, and one for each way that it
// can turn.
func branches(body *ast.BlockStmt) int {
	n := 1
	ast.Inspect(body, func(node ast.Node) bool {
		switch b := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if b.List != nil {
				n++
			}
		case *ast.CommClause:
			if b.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if b.Op == token.LAND || b.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

func sprint(parts ...any) string { return strings.TrimSpace(fmt.Sprintln(parts...)) }
