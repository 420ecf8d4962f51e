package imports

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestOneToolchain holds the places that name a Go release to one, a release with
// fixes: a build with the first of a line has holes that are known.
func TestOneToolchain(t *testing.T) {
	released := regexp.MustCompile(`(?m)^(?:go |FROM golang:)(\d+\.\d+\.[1-9]\d*)(?: AS build)?$`)
	want := ""
	for _, name := range []string{"go.mod", "examples/custom-handler/go.mod", "Dockerfile"} {
		b, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		m := released.FindSubmatch(b)
		switch {
		case m == nil:
			t.Errorf("%s names no release with fixes", name)
		case want == "":
			want = string(m[1])
		case string(m[1]) != want:
			t.Errorf("%s names Go %s, and go.mod %s", name, m[1], want)
		}
	}
}
