package imports

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPlainWords: neither the sources nor the documents use words that a reader whose first
// language is not English has to look up. The changelog says what releases said; tests may
// have them in their names.
func TestPlainWords(t *testing.T) {
	instead := map[string]string{
		"whoever": "somebody who, the one who, or the name", "whom": "that, or who ... for", "anew": "again, or new",
		"for ever": "always, or without an end", "meanwhile": "in the meantime, or when", "besides": "as well", "thereby": "by that",
	}
	words := regexp.MustCompile(`(?i)\b(` + strings.Join(slices.Collect(maps.Keys(instead)), "|") + `)\b`)
	read := 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == ".cache" || name == ".git" || name == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || name == "CHANGELOG.md" || strings.HasSuffix(name, "_test.go") || !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".md"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		for i, line := range strings.Split(string(text), "\n") {
			if found := words.FindString(line); found != "" {
				t.Errorf("%s:%d: %q: write %s", path, i+1, found, instead[strings.ToLower(found)])
			}
		}
		return nil
	})
	if err != nil || read < 100 {
		t.Fatalf("%d files read, %v", read, err)
	}
}
