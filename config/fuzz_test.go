package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/catflap/catflap/config"
)

// FuzzParse holds that no file makes the parser panic, that every problem has a
// line of the file, that a report is bounded, and that what is accepted can be
// written out and read again.
func FuzzParse(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range seeds {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("f", data, "", known())
		if err == nil {
			again(t, c)
			return
		}
		var all *config.Errors
		if !errors.As(err, &all) || c != nil {
			t.Fatalf("got %v and a %T", c, err)
		}
		if n := len(all.Problems); n == 0 || n > 101 {
			t.Errorf("%d problems", n)
		}
		lines := 1
		for _, b := range data {
			if b == '\n' || b == '\r' || b >= 0x80 { // YAML breaks lines at NEL, LS and PS too
				lines++
			}
		}
		for _, p := range all.Problems {
			if p.File != "f" || p.Line < 1 || p.Line > lines+1 || p.Message == "" || len(p.String()) > 4000 {
				t.Errorf("%d lines, problem %+v", lines, p)
			}
		}
	})
}

func again(t *testing.T, c *config.Config) {
	b, err := c.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.Parse("resolved", b, "", known()); err != nil {
		t.Errorf("%v\nin\n%s", err, b)
	}
}
