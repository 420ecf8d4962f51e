package parts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Install brings the named parts that are missing, or all of them, and touches
// nothing that is there. It says in log what it does, one line for each part; of
// what the package managers say only the failures.
func (p Parts) Install(ctx context.Context, log io.Writer, names ...string) error {
	all := p.all()
	known := func(name string) bool { return slices.ContainsFunc(all, func(o part) bool { return o.name == name }) }
	for _, name := range names {
		if !known(name) {
			return fmt.Errorf("no part is called %q", name)
		}
	}
	errs := make([]error, len(all))
	lines := &lineWriter{w: log}
	var wg sync.WaitGroup
	for i, one := range all {
		if len(names) == 0 || slices.Contains(names, one.name) {
			wg.Go(func() { errs[i] = one.install(ctx, lines) })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// install brings the part unless it is there. Only one process at a time does so.
func (p part) install(ctx context.Context, log io.Writer) error {
	if err := os.MkdirAll(filepath.Dir(p.dir), 0o755); err != nil {
		return err
	}
	unlock, err := lock(p.dir + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if p.own != nil {
		if own := p.own(); own != "" {
			fmt.Fprintf(log, "parts: %s: this machine's own, %s\n", p.name, own)
			return nil
		}
	}
	stamp, err := p.stamp()
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	if stamped(p.dir, stamp) == nil {
		return nil
	}
	fmt.Fprintf(log, "parts: %s: %s, into %s\n", p.name, p.what, shorten(p.dir))
	began := time.Now()
	if err := fresh(p.dir); err != nil {
		return err
	}
	b := &bringing{ctx: ctx, dir: p.dir}
	if err := finish(p.dir, stamp, p.bring(b)); err != nil {
		return fmt.Errorf("%s: %w\n%s", p.name, err, b.said.Bytes())
	}
	fmt.Fprintf(log, "parts: %s: there after %s\n", p.name, time.Since(began).Round(time.Second))
	return nil
}

// shorten names a folder of the repository as people do.
func shorten(dir string) string {
	if i := strings.LastIndex(dir, ".cache"+string(filepath.Separator)); i >= 0 {
		return dir[i:]
	}
	return dir
}

// bringing is the installation of one part.
type bringing struct {
	ctx  context.Context
	dir  string
	said bytes.Buffer // what its programs wrote
}

// run runs a program in the folder of the part.
func (b *bringing) run(program string, args ...string) error {
	cmd := exec.CommandContext(b.ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, &b.said, &b.said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", program, args[0], err)
	}
	return nil
}

// write puts a file into the folder of the part.
func (b *bringing) write(name string, content []byte) error {
	return os.WriteFile(filepath.Join(b.dir, name), content, 0o644)
}

// fresh empties dir, so that a broken installation is never built upon.
func fresh(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

// finish writes the stamp last: without it there is nothing.
func finish(dir, stamp string, err error) error {
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, stampFile), []byte(stamp), 0o644)
}

// lock waits until no other process holds the file. The file stays, and is empty.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// lineWriter keeps the lines of parts that are brought at once apart.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
