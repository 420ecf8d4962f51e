package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// settled is how long a contender has to tidy up before its memory is looked at.
const settled = 2 * time.Second

// idleSockets measures a contender that was just started: what another row has left
// in its memory would be used again.
func (b *bench) idleSockets(ctx context.Context, c *contender) error {
	return b.weigh(ctx, c, "4", spec{Kind: loadIdle, Connections: b.few(idleSockets)})
}

func (b *bench) idleStreams(ctx context.Context, c *contender) error {
	return b.weigh(ctx, c, "4c", spec{Kind: loadWaiting, Connections: b.few(idleStreams)})
}

func (b *bench) webSockets(ctx context.Context, c *contender) error {
	return b.perRequest(ctx, c, "4b", b.pingPong())
}

// amongIdle measures a contender that was just started, so that those who are open
// are all that it has.
func (b *bench) amongIdle(ctx context.Context, c *contender) error {
	fresh, err := b.run(ctx, c.name)
	if err != nil {
		return err
	}
	defer fresh.process.stop()
	let, err := b.hold(ctx, fresh, spec{Kind: loadIdle, Connections: b.few(idleSockets)})
	if err != nil {
		return err
	}
	b.settle(ctx)
	return errors.Join(b.perRequest(ctx, fresh, "4b open", b.pingPong()), let())
}

func (b *bench) pingPong() spec {
	return spec{Kind: loadSockets, Tokens: b.tokens.good(openSockets), Connections: openSockets, For: b.each}
}

// few is less in a first look.
func (b *bench) few(n int) int {
	if b.each < time.Second {
		n /= 10
	}
	return n
}

// weigh notes how much memory each connection of a load takes that is held open.
func (b *bench) weigh(ctx context.Context, c *contender, row string, s spec) error {
	fresh, err := b.run(ctx, c.name)
	if err != nil {
		return err
	}
	defer fresh.process.stop()
	before := fresh.process.rss()
	let, err := b.hold(ctx, fresh, s)
	if err != nil {
		return err
	}
	b.settle(ctx)
	b.figures.note(row, c.name, figIdle, float64(fresh.process.rss()-before)/1024/float64(s.Connections))
	return let()
}

// settle gives a contender time after many connections have been opened: what that
// took is no part of what they cost while they are open.
func (b *bench) settle(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(min(settled, b.each)):
	}
}

// hold opens a load in a process of its own, and returns what lets it end.
func (b *bench) hold(ctx context.Context, c *contender, s spec) (let func() error, err error) {
	// The first hundred people are those of the ping-pong.
	s.Address, s.Tokens = c.address, b.tokens.good(openSockets+s.Connections)
	s.Tokens = s.Tokens[len(s.Tokens)-s.Connections:]
	cmd := exec.CommandContext(ctx, b.self, roleLoad)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	let = func() error { return errors.Join(in.Close(), cmd.Wait()) }
	if err := json.NewEncoder(in).Encode(s); err != nil {
		return nil, errors.Join(err, let())
	}
	var r result
	if err := json.NewDecoder(out).Decode(&r); err != nil {
		return nil, errors.Join(err, let())
	}
	if r.Error != "" || r.Count != s.Connections {
		return nil, errors.Join(fmt.Errorf("%d of %d are open: %s", r.Count, s.Connections, r.Error), let())
	}
	return let, nil
}
