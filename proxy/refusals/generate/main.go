// Command generate writes the table of refusals into docs/operations.md.
// `go generate ./proxy/refusals` runs it.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/catflap/catflap/proxy/refusals"
)

func main() {
	if err := write(filepath.Join("..", "..", "docs", "operations.md")); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write(name string) error {
	page, err := os.ReadFile(name) //nolint:gosec // our own page
	if err != nil {
		return err
	}
	text, err := refusals.Into(string(page))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(text), 0o644) //nolint:gosec // a checked-in file
}
