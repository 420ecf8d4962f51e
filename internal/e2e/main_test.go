package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/catflap/catflap/internal/e2e/parts"
	"github.com/catflap/catflap/internal/e2e/soak"
)

// What TestMain found and made, for all tests.
var (
	repository string
	binary     string
	installed  parts.Parts
	scratch    string // a folder that goes with the run
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == playing { // a process that a soak has started
		if err := soak.Play(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "soak:", err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (int, error) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "catflap-e2e-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	repository, installed, binary = root, parts.In(root), filepath.Join(dir, "catflap")
	scratch = dir
	if err := build(); err != nil {
		return 0, err
	}
	go leaveNothing()
	defer endShared()
	return m.Run(), nil
}

// shared are the ends of what tests of a run share, in the order of the starts.
var shared struct {
	mu   sync.Mutex
	ends []func()
}

// atTheEnd has f called when all tests have ended.
func atTheEnd(f func()) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.ends = append(shared.ends, f)
}

func endShared() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	for _, end := range slices.Backward(shared.ends) {
		end()
	}
}

// build makes the binary with the race detector: a race that a test meets is a
// failure of that test, by the exit code of the binary. CATFLAP_E2E_BINARY names
// a binary that is there already.
func build() error {
	if given := os.Getenv("CATFLAP_E2E_BINARY"); given != "" {
		binary = given
		return nil
	}
	cmd := exec.Command("go", "build", "-race", "-o", binary, "./cmd/catflap")
	cmd.Dir, cmd.Stdout, cmd.Stderr = repository, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the binary: %w", err)
	}
	return nil
}
