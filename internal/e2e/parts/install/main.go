// Command install brings the foreign programs of the end-to-end tests into the
// ignored folder .cache/e2e of the repository. It is quick when they are there.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
)

func main() {
	if err := install(); err != nil {
		fmt.Fprintln(os.Stderr, "parts:", err)
		os.Exit(1)
	}
}

func install() error {
	root, err := repository()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if err := parts.In(root).Install(ctx, os.Stderr); err != nil {
		return err
	}
	fmt.Println("parts: all there")
	return nil
}

// repository finds the checkout from any folder of it.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}
