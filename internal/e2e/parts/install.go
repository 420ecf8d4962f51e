package parts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Install brings what is missing, and touches nothing that is there. What the
// package managers say goes to log.
func (p Parts) Install(ctx context.Context, log io.Writer) error {
	return errors.Join(p.installNode(ctx, log), p.installPython(ctx, log))
}

func (p Parts) installNode(ctx context.Context, log io.Writer) error {
	stamp, err := nodeStamp()
	if err != nil || stamped(p.node(), stamp) == nil {
		return err
	}
	if err := fresh(p.node(), map[string][]byte{"package.json": packageJSON, "package-lock.json": packageLock}); err != nil {
		return err
	}
	// No package of these needs a script at its installation, so none may run one.
	err = run(ctx, log, p.node(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	return finish(p.node(), stamp, err)
}

func (p Parts) installPython(ctx context.Context, log io.Writer) error {
	stamp, err := pythonStamp()
	if err != nil || stamped(p.python(), stamp) == nil {
		return err
	}
	if err := fresh(p.python(), map[string][]byte{"requirements.txt": requirements}); err != nil {
		return err
	}
	if err := run(ctx, log, p.python(), "python3", "-m", "venv", "."); err != nil {
		return err
	}
	// Without dependencies: the list is whole, and nothing that is not in it comes in.
	err = run(ctx, log, p.python(), p.Python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--requirement", "requirements.txt")
	return finish(p.python(), stamp, err)
}

// fresh empties dir, so that a broken installation is never built upon.
func fresh(dir string, files map[string][]byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, log io.Writer, dir, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", program, args[0], err)
	}
	return nil
}

// finish writes the stamp last: without it there is nothing.
func finish(dir, stamp string, err error) error {
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, stampFile), []byte(stamp), 0o644)
}
