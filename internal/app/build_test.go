package app

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/config"
)

// unread are the fields of the configuration of which nothing is made, and why.
func unread() map[string]string {
	return map[string]string{
		"Config.Version": "there is one, which is checked",
		"Cat.Contract":   "there is one that is supported, which is checked",
	}
}

// looking are the functions that compare a configuration, or check it, or warn of it. A
// field that they alone read changes nothing.
func looking() []string {
	return []string{"sessionPlace", "redisFiles", "needsRestart", "storeNeedsRestart", "warnAccounts", "warnDocuments", "Inspect", "Doubt", "Warnings", "Resolved"}
}

// TestEachSettingReachesSomething: whoever adds a field to the configuration, and forgets
// to hand it on, is told so. Each is read where the parts are put together.
func TestEachSettingReachesSomething(t *testing.T) {
	settings := map[string]string{}
	leaves(reflect.TypeFor[config.Config](), "", settings)
	if len(settings) < 100 {
		t.Fatalf("only %d settings", len(settings))
	}
	read, excepted := fieldsRead(t), unread()
	for field, at := range settings {
		switch reason := excepted[field]; {
		case reason == "" && !read[field]:
			t.Errorf("%s: nothing is made of config.%s", at, field)
		case reason != "" && read[field]:
			t.Errorf("something is made of config.%s: remove the exception", field)
		}
	}
	for field := range excepted {
		if settings[field] == "" {
			t.Errorf("there is no config.%s: remove the exception", field)
		}
	}
}

// unset are the fields of the parts' options, and whole types, of which nothing is given
// here, and why.
func unset() map[string]string {
	return map[string]string{
		"authhandlers.Link.Headers":   "Link.Carried finds them",
		"authhandlers.Link.Cookies":   "Link.Carried finds them",
		"cat.Route":                   "AccountFor has none in particular in mind",
		"fleet.Options.Prefix":        "tests keep theirs apart with it",
		"session.RedisOptions.Prefix": "tests keep theirs apart with it",
		"upstream.ClientOptions.Now":  "tests have another clock",
	}
}

// TestEachOptionIsGiven is the other end: each field of what a part is made of is given
// somewhere, so that a setting which two parts need can't get lost on its way to one.
func TestEachOptionIsGiven(t *testing.T) {
	options, given := optionsGiven(newSettingsReader().check(t, "internal/app"))
	if len(options) < 10 {
		t.Fatalf("only %d kinds of options", len(options))
	}
	excepted := unset()
	for of := range options {
		kind := of.Obj().Pkg().Name() + "." + of.Obj().Name()
		for f := range of.Underlying().(*types.Struct).Fields() {
			name := kind + "." + f.Name()
			switch reason := excepted[name]; {
			case !f.Exported(), excepted[kind] != "":
			case reason == "" && !given[f]:
				t.Errorf("nothing is given for %s", name)
			case reason != "" && given[f]:
				t.Errorf("%s is given: remove the exception", name)
			}
			delete(excepted, name)
		}
	}
	for of := range options {
		delete(excepted, of.Obj().Pkg().Name()+"."+of.Obj().Name())
	}
	for name := range excepted {
		t.Errorf("there is no %s: remove the exception", name)
	}
}

// optionsGiven are the structs of other packages that a package fills in, and their fields
// that it gives something.
func optionsGiven(c *checked) (options map[*types.Named]bool, given map[types.Object]bool) {
	options, given = map[*types.Named]bool{}, map[types.Object]bool{}
	for _, f := range c.functions() {
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				of, ok := c.info.TypeOf(n).(*types.Named)
				if !ok || !ofParts(of) {
					return true
				}
				options[of] = true
				for i, e := range n.Elts {
					if pair, ok := e.(*ast.KeyValueExpr); ok {
						given[c.info.Uses[pair.Key.(*ast.Ident)]] = true
					} else {
						given[of.Underlying().(*types.Struct).Field(i)] = true
					}
				}
			case *ast.AssignStmt:
				for _, l := range n.Lhs {
					if sel, ok := l.(*ast.SelectorExpr); ok && c.info.Selections[sel] != nil {
						given[c.info.Selections[sel].Obj()] = true
					}
				}
			}
			return true
		})
	}
	return options, given
}

// ofParts reports a struct of another package of the module, but for config's.
func ofParts(of *types.Named) bool {
	_, ok := of.Underlying().(*types.Struct)
	at := of.Obj().Pkg()
	return ok && at != nil && strings.HasPrefix(at.Path(), module) && at.Path() != module+"internal/app" && !strings.HasPrefix(at.Path(), module+"config")
}

// leaves finds the fields that hold a value, as the struct and the field in Go, and where
// they stand in the file.
func leaves(t reflect.Type, at string, found map[string]string) {
	for _, f := range config.Fields(t) {
		owner := t
		if above := f.Go.Index[:len(f.Go.Index)-1]; len(above) > 0 { // of an embedded struct
			owner = t.FieldByIndex(above).Type
		}
		of := f.Go.Type
		for slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map}, of.Kind()) {
			of = of.Elem()
		}
		if of.Kind() == reflect.Struct && of.PkgPath() == module+"config" && len(config.Fields(of)) > 0 {
			leaves(of, at+f.Name+".", found)
			continue
		}
		found[owner.Name()+"."+f.Go.Name] = at + f.Name
	}
}

// fieldsRead are the fields of config's structs that this package and the telemetry read,
// and the methods of config that they call.
func fieldsRead(t *testing.T) map[string]bool {
	t.Helper()
	s := newSettingsReader()
	owners := map[types.Object]string{}
	scope := s.check(t, "config").pkg.Scope()
	for _, name := range scope.Names() {
		of, ok := scope.Lookup(name).Type().Underlying().(*types.Struct)
		for i := 0; ok && i < of.NumFields(); i++ {
			owners[of.Field(i)] = name + "." + of.Field(i).Name()
		}
	}
	read := map[string]bool{}
	var look func(c *checked, only string)
	look = func(c *checked, only string) {
		for _, f := range c.functions() {
			if slices.Contains(looking(), f.Name.Name) || only != "" && f.Name.Name != only {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok || c.info.Selections[sel] == nil {
					return true
				}
				obj := c.info.Selections[sel].Obj()
				if obj.Pkg() == nil || obj.Pkg().Path() != module+"config" {
					return true
				}
				name := owners[obj]
				_, method := obj.(*types.Func)
				if method {
					name = obj.Name() + "()"
				}
				if seen := read[name]; !seen && method {
					read[name] = true
					look(s.check(t, "config"), obj.Name())
				}
				read[name] = true
				return true
			})
		}
	}
	look(s.check(t, "internal/app"), "")
	look(s.check(t, "internal/telemetry"), "")
	return read
}

const module = "github.com/catflap/catflap/"

// checked is a package whose expressions have types.
type checked struct {
	pkg   *types.Package
	info  *types.Info
	files []*ast.File
}

func (c *checked) functions() (l []*ast.FuncDecl) {
	for _, file := range c.files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				l = append(l, f)
			}
		}
	}
	return l
}

// settingsReader finds types in the module's own source. Other packages are empty to it:
// what depends on them has no type, and a field that is read only there counts as unread,
// which is the safe side.
type settingsReader struct {
	checked map[string]*checked // by the folder
	fset    *token.FileSet
}

func newSettingsReader() *settingsReader {
	return &settingsReader{checked: map[string]*checked{}, fset: token.NewFileSet()}
}

func (s *settingsReader) check(t *testing.T, dir string) *checked {
	t.Helper()
	c, err := s.read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pointers is what sync/atomic has to hold types of ours.
const pointers = "package atomic; type Pointer[T any] struct{}; func (*Pointer[T]) Load() *T { return nil }"

// Import is for the checker.
func (s *settingsReader) Import(name string) (*types.Package, error) {
	dir, ours := strings.CutPrefix(name, module)
	switch {
	case name == "sync/atomic":
		file, err := parser.ParseFile(s.fset, name, pointers, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		return (&types.Config{}).Check(name, s.fset, []*ast.File{file}, nil)
	case !ours:
		pkg := types.NewPackage(name, path.Base(name))
		pkg.MarkComplete()
		return pkg, nil
	}
	c, err := s.read(dir)
	if err != nil {
		return nil, err
	}
	return c.pkg, nil
}

func (s *settingsReader) read(dir string) (*checked, error) {
	if c := s.checked[dir]; c != nil {
		return c, nil
	}
	folder := filepath.Join("..", "..", filepath.FromSlash(dir))
	listed, err := build.ImportDir(folder, 0)
	if err != nil {
		return nil, err
	}
	c := &checked{info: &types.Info{
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
	}}
	for _, name := range listed.GoFiles {
		file, err := parser.ParseFile(s.fset, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		c.files = append(c.files, file)
	}
	conf := types.Config{Importer: s, Error: func(error) {}} // they are all of packages that are empty here
	c.pkg, _ = conf.Check(module+dir, s.fset, c.files, c.info)
	s.checked[dir] = c
	return c, nil
}
