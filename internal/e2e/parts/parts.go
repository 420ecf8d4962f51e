// Package parts knows the foreign programs that the end-to-end tests run beside
// Catflap: a certified identity provider, the Cat's stock clients and the Cat's
// server stack.
//
// The rule it guards: each of them is one exact version, written here, and is
// never taken from whatever a machine happens to have. They are kept below
// .cache/e2e of the repository; a stamp there holds a hash of the pins and of the
// interpreter, so that a changed pin is a missing part.
package parts

import (
	"crypto/sha256"
	_ "embed" // the pins
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed package.json
var packageJSON []byte

//go:embed package-lock.json
var packageLock []byte

//go:embed requirements.txt
var requirements []byte

// ErrMissing means that a part is not there, or is of another version.
var ErrMissing = errors.New("not installed: run `go run ./internal/e2e/parts/install`")

const stampFile = ".stamp"

// Parts says where the parts of one checkout are.
type Parts struct{ dir string }

// In returns the parts of the repository at root.
func In(root string) Parts { return Parts{filepath.Join(root, ".cache", "e2e")} }

// NodeModules is the folder of the npm packages.
func (p Parts) NodeModules() string { return filepath.Join(p.node(), "node_modules") }

// Python is the interpreter that has the Python packages.
func (p Parts) Python() string { return filepath.Join(p.python(), "bin", "python") }

func (p Parts) node() string   { return filepath.Join(p.dir, "node") }
func (p Parts) python() string { return filepath.Join(p.dir, "python") }

// HaveNode returns nil if the npm packages are there, or an error that wraps
// ErrMissing or says which program the machine lacks.
func (p Parts) HaveNode() error {
	stamp, err := nodeStamp()
	if err != nil {
		return err
	}
	return stamped(p.node(), stamp)
}

// HavePython is HaveNode of the Python packages.
func (p Parts) HavePython() error {
	stamp, err := pythonStamp()
	if err != nil {
		return err
	}
	return stamped(p.python(), stamp)
}

func nodeStamp() (string, error) { return stampOf("node", packageJSON, packageLock) }

func pythonStamp() (string, error) { return stampOf("python3", requirements) }

// stampOf hashes the pins and what the interpreter says of itself: native modules
// fit the version that they were installed for.
func stampOf(program string, pins ...[]byte) (string, error) {
	version, err := exec.Command(program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("this needs %s: %w", program, err)
	}
	sum := sha256.New()
	for _, b := range append(pins, version) {
		fmt.Fprintf(sum, "%d:", len(b))
		sum.Write(b)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func stamped(dir, want string) error {
	got, err := os.ReadFile(filepath.Join(dir, stampFile))
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && string(got) != want:
		return fmt.Errorf("%s: %w", filepath.Base(dir), ErrMissing)
	}
	return err
}
