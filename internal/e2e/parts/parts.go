// Package parts knows the foreign programs that the end-to-end tests run beside
// Catflap: two identity providers, the Cat's stock clients, the Cat's server stack, what
// tests the Cat's plugins, a Redis server, nginx, promtool and a browser.
//
// The rule it guards: what is tested against is written here, and never whatever a
// machine happens to have. Packages of npm, PyPI and Maven Central are pinned to one
// exact version; those of Debian, which keeps only the newest of each, to a release
// of Debian and a series of the program. All are kept below .cache/e2e of the
// repository; a stamp there holds a hash of the pins and of the interpreter, so that
// a changed pin is a missing part.
package parts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrMissing means that a part is not there, or is of another version.
var ErrMissing = errors.New("not installed: run `go run ./internal/e2e/parts/install`")

const stampFile = ".stamp"

// Parts says where the parts of one checkout are.
type Parts struct{ dir string }

// In returns the parts of the repository at root.
func In(root string) Parts { return Parts{filepath.Join(root, ".cache", "e2e")} }

// Here returns the parts of the repository around the working directory, which in a
// test is the folder of the package.
func Here() (Parts, error) {
	dir, err := os.Getwd()
	if err != nil {
		return Parts{}, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return In(dir), nil
		}
		if filepath.Dir(dir) == dir {
			return Parts{}, errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// part is one thing that can be brought.
type part struct {
	name string
	what string // for people: versions, and where it comes from
	dir  string
	// stamp says what must be there. An error names a program that the machine lacks.
	stamp func() (string, error)
	// own is the machine's own program, if one fits and none need be brought.
	own func() string
	// bring fills dir, which is there and empty.
	bring func(b *bringing) error
}

func (p Parts) all() []part {
	return []part{p.programPart(redis()), p.programPart(nginx()), p.programPart(promtool()), p.nodePart(), p.pythonPart(), p.pluginPart(), p.keycloakPart(), p.chromiumPart()}
}

// have returns nil if the part is there and of the version that is written here.
func (p part) have() error {
	if p.own != nil && p.own() != "" {
		return nil
	}
	want, err := p.stamp()
	if err != nil {
		return err
	}
	return stamped(p.dir, want)
}

// stampOf hashes the pins and what the interpreter says of itself: native modules
// fit the version that they were installed for.
func stampOf(program, version string, pins ...[]byte) (string, error) {
	said, err := exec.Command(program, version).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("this needs %s: %w", program, err)
	}
	return hashOf(append(pins, said)...), nil
}

func hashOf(pins ...[]byte) string {
	sum := sha256.New()
	for _, b := range pins {
		fmt.Fprintf(sum, "%d:", len(b))
		sum.Write(b)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func stamped(dir, want string) error {
	got, err := os.ReadFile(filepath.Join(dir, stampFile))
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && string(got) != want:
		return fmt.Errorf("%s: %w", filepath.Base(dir), ErrMissing)
	}
	return err
}
