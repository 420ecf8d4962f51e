package parts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is a part that is one program of a few packages of Debian's.
type program struct {
	name     string
	packages []string
	path     string // of the program, below the root of the packages
	ask      string // the option that has it say its version
	says     string // what the answer must hold
	series   string // of the version, for people
}

// binary is the program, and what it needs in its environment beside what is there.
// The error wraps ErrMissing or says what the machine lacks.
func (p Parts) binary(one program) (binary string, env []string, err error) {
	if own := one.own(); own != "" {
		return own, nil, nil
	}
	made := p.programPart(one)
	if err := made.have(); err != nil {
		return "", nil, err
	}
	binary, env = one.in(made.dir)
	if !one.isThere(binary, env) {
		return "", nil, fmt.Errorf("%s does not run: %w", shorten(binary), ErrMissing)
	}
	return binary, env, nil
}

func (p Parts) programPart(one program) part {
	dir := filepath.Join(p.dir, "debian", one.name)
	base := filepath.Base(one.path)
	return part{
		name: one.name, what: base + " " + one.series + " from Debian " + debian, dir: dir, own: one.own,
		stamp: func() (string, error) {
			return debianStamp(one.packages, "install "+base+" "+one.series+", so that it is in PATH")
		},
		bring: func(b *bringing) error {
			if err := bringDebian(b, one.packages); err != nil {
				return err
			}
			if binary, env := one.in(dir); !one.isThere(binary, env) {
				return fmt.Errorf("what came does not say that it is %s %s", base, one.series)
			}
			return nil
		},
	}
}

func (one program) in(root string) (binary string, env []string) {
	return filepath.Join(root, one.path), []string{libraries(root)}
}

// own is a program of the series that somebody has installed.
func (one program) own() string {
	own, err := exec.LookPath(filepath.Base(one.path))
	if err != nil || !one.isThere(own, nil) {
		return ""
	}
	return own
}

// isThere runs the program and reports whether it says its version.
func (one program) isThere(binary string, env []string) bool {
	cmd := exec.Command(binary, one.ask)
	cmd.Env = append(os.Environ(), env...)
	said, err := cmd.CombinedOutput()
	return err == nil && strings.Contains(string(said), one.says)
}
