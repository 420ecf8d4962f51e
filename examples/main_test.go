package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// What TestMain made, for all tests.
var (
	repository string
	binary     string // as the image holds it
)

const builtVersion = "v0.0.0-example"

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "examples:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "catflap-examples-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if repository, err = filepath.Abs(".."); err != nil {
		return 0, err
	}
	binary = filepath.Join(dir, "catflap")
	if err := buildImage(filepath.Join(dir, "context"), binary); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
