package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/internal/app"
)

// profile runs Catflap inside this process, under the load of row 1, 3 or 3b, and
// writes its processor profile: where the time goes that the rows only add up.
func profile(ctx context.Context, l *lab, file, row string, each time.Duration) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	env, _, err := l.command("catflap", address)
	if err != nil {
		return err
	}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Options{
			ConfigFile: l.file("catflap.yaml"), Handlers: builtin.Registry(), Version: "bench", Stderr: io.Discard,
			Ready: func(_, _ net.Addr) { close(ready) },
		})
	}()
	select {
	case <-ready:
	case err := <-ended:
		return err
	}
	c := &contender{name: "catflap", address: address, judges: true, process: l.upstream}
	if err := l.prove(ctx, c); err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	b := &bench{lab: l, figures: map[string][]float64{}}
	s := spec{Kind: "requests", Path: "/", Tokens: l.tokens.good(1), Status: 200, Connections: connections, For: each}
	switch row {
	case "3":
		s.Tokens, s.Status = l.tokens.forged(10*distinct), 401
	case "3b":
		s.Tokens, s.Status = []string{"no-token-at-all"}, 401
	}
	_, _, err = b.load(ctx, c, s)
	pprof.StopCPUProfile()
	cancel()
	return errors.Join(err, <-ended, out.Close())
}
