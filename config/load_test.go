package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/config"
)

var update = flag.Bool("update", false, "write the expected texts of testdata anew")

// Each file of testdata/bad breaks one rule; the whole message stands beside it.
func TestBad(t *testing.T) {
	for _, file := range files(t, "testdata/bad/*.yaml") {
		t.Run(name(file), func(t *testing.T) {
			c, err := config.Parse(filepath.Base(file), read(t, file), "testdata", known())
			if err == nil || c != nil {
				t.Fatalf("got %v and error %v, want an error alone", c, err)
			}
			if _, ok := errors.AsType[*config.Errors](err); !ok {
				t.Fatalf("the error is a %T", err)
			}
			compare(t, file, err.Error()+"\n")
		})
	}
}

// Each file of testdata/good is valid; its warnings stand beside it.
func TestGood(t *testing.T) {
	for _, file := range files(t, "testdata/good/*.yaml") {
		t.Run(name(file), func(t *testing.T) {
			c, err := config.Parse(filepath.Base(file), read(t, file), "testdata", known())
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, w := range c.Warnings() {
				b.WriteString(w.String() + "\n")
			}
			compare(t, file, b.String())
		})
	}
}

// examples are those of the handler types that the stand-ins here are of; the one with
// every type is run with the real ones, beside the examples.
func examples(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(files(t, "../examples/*.yaml"), func(file string) bool { return strings.HasSuffix(file, "identities.example.yaml") })
}

func TestExamplesLoadWithoutWarnings(t *testing.T) {
	for _, file := range examples(t) {
		c, err := config.Load(file, known())
		if err != nil {
			t.Error(err)
			continue
		}
		if w := c.Warnings(); len(w) > 0 {
			t.Errorf("%s: warnings: %v", file, w)
		}
	}
}

func TestLoadOfNoFile(t *testing.T) {
	_, err := config.Load("testdata/none.yaml", known())
	if want := "testdata/none.yaml: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = config.Load("testdata", known())
	if want := "testdata: is a directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"size", strings.Repeat("#", 1<<20+1), "f:1: the file is larger than 1048576 bytes\n  hint: is it a configuration at all?"},
		{"not UTF-8", "version: 1\nlisten: \"\xff\"\n", "f:2: the file is not UTF-8\n  hint: save it as UTF-8"},
		{"UTF-16", "\xfe\xff\x00v\x00e", "f:1: the file is not UTF-8\n  hint: save it as UTF-8"},
		{"control character", "version: 1\n\nlisten: \x1b[2J", "f:3: the control character U+001B stands here\n  hint: remove it"},
		{"empty", "", "f:1: the file is empty\n  hint: begin with version: 1"},
		{"comment alone", "# nothing\n---\n", "f:1: the file is empty"},
		{"values", "origins: [" + strings.Repeat("a,", 60_000) + "a]", "f:1: the file holds more than 50000 values\n  hint: is it a configuration at all?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Parse("f", []byte(c.text), "", known())
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// A report ends somewhere, however wrong the file is.
func TestReportIsBounded(t *testing.T) {
	text := valid + "origins:\n" + strings.Repeat("  - nothing\n", 5000)
	_, err := config.Parse("f", []byte(text), "", known())
	var all *config.Errors
	if !errors.As(err, &all) || len(all.Problems) != 101 {
		t.Fatalf("got %d problems, want 101", len(all.Problems))
	}
	if got, want := all.Problems[100].Message, "4900 more problems follow"; got != want {
		t.Errorf("the last is %q, want %q", got, want)
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	l, err := filepath.Glob(pattern)
	if err != nil || len(l) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return l
}

func name(file string) string { return strings.TrimSuffix(filepath.Base(file), ".yaml") }

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// compare compares with the .want file beside a file.
func compare(t *testing.T, file, got string) {
	t.Helper()
	want := strings.TrimSuffix(file, ".yaml") + ".want"
	if *update {
		if err := os.WriteFile(want, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if w := string(read(t, want)); got != w {
		t.Errorf("got\n%s\nwant\n%s", got, w)
	}
}
