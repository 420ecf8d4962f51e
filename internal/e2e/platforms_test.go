package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listed is a package as `go list` tells of it.
type listed struct {
	ImportPath, Dir string
	GoFiles         []string
	ImportMap       map[string]string
	Module          *struct{ Main bool }
}

// TestEveryPlatformOfTheFirstClass: the sources of Catflap, and of all that it is made
// of, fit each platform that Go promises to keep working. `make platforms` links them,
// too, which takes minutes.
func TestEveryPlatformOfTheFirstClass(t *testing.T) {
	platforms := firstClass(t)
	if len(platforms) < 8 {
		t.Fatalf("go tool dist tells of %v", platforms)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, builds, _ := strings.Cut(string(makefile), "\nPLATFORMS ?= ")
	builds, _, _ = strings.Cut(builds, "\n")
	for _, p := range platforms {
		if !slices.Contains(strings.Fields(builds), p.GOOS+"/"+p.GOARCH) {
			t.Errorf("make platforms does not build %s/%s", p.GOOS, p.GOARCH)
		}
		t.Run(p.GOOS+"/"+p.GOARCH, func(t *testing.T) {
			t.Parallel()
			for _, err := range p.check(t) {
				t.Error(err)
			}
		})
	}
}

type platform struct {
	GOOS, GOARCH string
	FirstClass   bool
}

func firstClass(t *testing.T) (l []platform) {
	t.Helper()
	out, err := exec.Command("go", "tool", "dist", "list", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []platform
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.FirstClass {
			l = append(l, p)
		}
	}
	return l
}

// check finds what does not fit in the sources, as the compiler would. Of packages that
// are not ours the bodies of functions are passed over: their authors try those.
func (p platform) check(t *testing.T) (found []error) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,ImportMap,Module", "github.com/catflap/catflap/cmd/catflap")
	cmd.Env = append(os.Environ(), "GOOS="+p.GOOS, "GOARCH="+p.GOARCH, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files, known := token.NewFileSet(), packages{"unsafe": types.Unsafe}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var one listed
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		if one.ImportPath == "unsafe" {
			continue
		}
		ours := one.Module != nil && one.Module.Main
		checker := types.Config{
			Importer: mapped{known, one.ImportMap}, Sizes: types.SizesFor("gc", p.GOARCH), IgnoreFuncBodies: !ours, FakeImportC: true,
			Error: func(err error) { found = append(found, err) },
		}
		known[one.ImportPath], _ = checker.Check(one.ImportPath, files, one.parse(t, files), nil) // Error has it
	}
}

func (one listed) parse(t *testing.T, files *token.FileSet) (l []*ast.File) {
	t.Helper()
	for _, name := range one.GoFiles {
		f, err := parser.ParseFile(files, filepath.Join(one.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		l = append(l, f)
	}
	return l
}

type packages map[string]*types.Package

// mapped finds packages by the path that a source names, which may stand for another.
type mapped struct {
	known packages
	names map[string]string
}

func (m mapped) Import(path string) (*types.Package, error) {
	if at, ok := m.names[path]; ok {
		path = at
	}
	if p, ok := m.known[path]; ok {
		return p, nil
	}
	return nil, errors.New("nothing imported before is " + path)
}
