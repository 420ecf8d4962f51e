package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"

	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/internal/app"
)

// serveHere runs Catflap inside of this process, where its memory and its profile
// can be looked at. end ends it.
func (l *lab) serveHere(ctx context.Context) (c *contender, end func() error, err error) {
	address, err := freeAddress()
	if err != nil {
		return nil, nil, err
	}
	env, _, err := l.command(catflap, address)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if err := os.Setenv(name, value); err != nil {
			return nil, nil, err
		}
	}
	log, err := os.Create(l.file("catflap-here.log"))
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		defer log.Close()
		ended <- app.Run(ctx, app.Options{
			ConfigFile: l.file("catflap.yaml"), Handlers: builtin.Registry(), Version: "bench", Stderr: log,
			Ready: func(_, _ net.Addr) { close(ready) },
		})
	}()
	end = func() error {
		cancel()
		return <-ended
	}
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		return nil, nil, fmt.Errorf("catflap ended at once: %w", err)
	}
	// Its processor time can't be told from ours: that of the upstream stands in.
	c = &contender{name: catflap, address: address, judges: true, process: l.upstream}
	if err = l.awaitAnswer(ctx, c); err == nil {
		err = l.prove(ctx, c)
	}
	if err != nil {
		_ = end() // the first error is the one to tell
		return nil, nil, err
	}
	return c, end, nil
}

// allocations counts what a request allocates, both ways through net/http
// included. A machine's speed does not matter, so one round is enough.
func (b *bench) allocations(ctx context.Context, _ *contender) error {
	if b.done > 0 {
		return nil
	}
	c, end, err := b.serveHere(ctx)
	if err != nil {
		return err
	}
	one := spec{Kind: loadRequests, Tokens: b.tokens.good(1), Status: 200, Connections: connections, For: b.each / 2}
	if _, _, err = b.load(ctx, c, one); err == nil {
		before := mallocs()
		var r result
		if r, _, err = b.load(ctx, c, one); err == nil {
			b.figures.note("8b", catflap, figMallocs, float64(mallocs()-before)/float64(r.Count))
		}
	}
	if e := end(); err == nil {
		err = e
	}
	return err
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
