// The command generate writes docs/configuration.md and config/schema.json again.
// `go generate ./config` runs it.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/catflap/catflap/internal/configdoc"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	files, err := generated(root)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil { //nolint:gosec // checked-in files
			return err
		}
	}
	return nil
}

// generated makes the files, by their path below the module's folder.
func generated(root string) (map[string][]byte, error) {
	reference, err := configdoc.New(root, handlerTypes())
	if err != nil {
		return nil, err
	}
	example, err := os.ReadFile(filepath.Join(root, "examples", "catflap.example.yaml")) //nolint:gosec // a checked-in file
	if err != nil {
		return nil, err
	}
	schema, err := reference.Schema()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"docs/configuration.md": reference.Markdown(string(example)),
		"config/schema.json":    schema,
	}, nil
}

// moduleRoot is the next folder above with a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}
