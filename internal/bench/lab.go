package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// lab is what all contenders share.
type lab struct {
	dir      string
	self     string // this program, which is also the upstream, the load and a contender
	catflap  string // the binary under measurement
	upstream *process
	behind   string // the upstream's address
	tokens   *tokens
}

// newLab signs the tokens and starts the upstream.
func newLab(ctx context.Context, dir string, people int) (*lab, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &lab{dir: dir, self: self, catflap: filepath.Join(dir, "catflap")}
	if l.tokens, err = newTokens(people); err != nil {
		return nil, err
	}
	if err := l.tokens.writeKeys(l.file("keys.json"), l.file("key.pem")); err != nil {
		return nil, err
	}
	if l.behind, err = freeAddress(); err != nil {
		return nil, err
	}
	if l.upstream, err = start(ctx, l.file("upstream.log"), nil, self, roleUpstream, l.behind); err != nil {
		return nil, err
	}
	if err := awaitListener(ctx, l.behind); err != nil {
		l.upstream.stop()
		return nil, err
	}
	return l, nil
}

// build makes the binary as it is released.
func (l *lab) build(ctx context.Context) error {
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", l.catflap, "github.com/catflap/catflap/cmd/catflap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build catflap: %w\n%s", err, out)
	}
	return nil
}

func (l *lab) file(name string) string { return filepath.Join(l.dir, name) }
