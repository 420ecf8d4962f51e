package reread_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/reread"
)

// TestLook has each way in which one of two files changes. All have the same size and
// time, unless the step says so.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	at := time.Unix(1000, 0)
	path := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string, at time.Time) {
		t.Helper()
		must(os.WriteFile(path(name), []byte(text), 0o600))
		must(os.Chtimes(path(name), at, at))
	}
	look := func() reread.Stamp { return reread.Look(path("a"), path("b")) }
	last := look()
	if last.Same(reread.Stamp{}) || !last.Same(look()) {
		t.Error("files that are not there have no state of their own")
	}
	for _, step := range []struct {
		name string
		do   func()
		want bool // whether it is another state
	}{
		{"the first comes", func() { write("a", "one", at) }, true},
		{"the second comes", func() { write("b", "two", at) }, true},
		{"nothing happens", func() {}, false},
		{"another size", func() { write("b", "three", at) }, true},
		{"another time", func() { write("b", "THREE", at.Add(time.Second)) }, true},
		{"an older time", func() { write("b", "three", at) }, true},
		{"another file under its name", func() { write("c", "THREE", at); must(os.Rename(path("c"), path("b"))) }, true},
		{"a link", func() {
			write("v1", "one", at)
			write("v2", "two", at)
			must(os.Remove(path("a")))
			must(os.Symlink("v1", path("a")))
		}, true},
		{"the link is turned", func() { must(os.Symlink("v2", path("l"))); must(os.Rename(path("l"), path("a"))) }, true},
		{"one goes", func() { must(os.Remove(path("a"))) }, true},
		{"it is still gone", func() {}, false},
	} {
		step.do()
		now := look()
		if now.Same(last) == step.want || now.Same(last) != last.Same(now) {
			t.Errorf("%s: another state is %v", step.name, !now.Same(last))
		}
		last = now
	}
}
