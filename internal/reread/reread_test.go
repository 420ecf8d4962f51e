package reread_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/reread"
)

// TestPoll has each way in which a file changes, and how often it is told.
func TestPoll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Unix(1000, 0)
	f, _, err := reread.Open(path, 10, now)
	if err == nil {
		t.Fatal("there is no file")
	}
	poll := func() (told string) {
		now = now.Add(reread.Every)
		f.Poll(now, func(text []byte, err error) {
			told = string(text)
			if err != nil {
				told = "error"
			}
		})
		return told
	}
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"it is still not there", func() {}, ""},
		{"it comes", func() { write("f", "one") }, "one"},
		{"nothing happens", func() {}, ""},
		{"in place", func() { write("f", "second") }, "second"},
		{"another file under its name", func() { write("g", "third!"); _ = os.Rename(filepath.Join(dir, "g"), path) }, "third!"},
		{"too large", func() { write("f", "more than ten bytes") }, "error"},
		{"still too large", func() {}, ""},
		{"good again", func() { write("f", "four") }, "four"},
		{"it goes", func() { _ = os.Remove(path) }, "error"},
		{"it is still gone", func() {}, ""},
		{"a link", func() { write("v1", "five"); _ = os.Symlink("v1", path) }, "five"},
		{"the link is turned", func() {
			write("v2", "five")
			_ = os.Symlink("v2", filepath.Join(dir, "l"))
			_ = os.Rename(filepath.Join(dir, "l"), path)
		}, "five"},
		{"a folder", func() { _ = os.Remove(path); _ = os.Mkdir(path, 0o700) }, "error"},
	} {
		step.do()
		if got := poll(); got != step.want {
			t.Errorf("%s: told %q, want %q", step.name, got, step.want)
		}
	}
	f.Poll(now, func([]byte, error) { t.Error("nothing was due") })
}
