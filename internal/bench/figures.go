package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"
)

// peers are measured in this order, in each round.
func peers() []string { return []string{"go-rp", "nginx", "haproxy-jwt", "catflap"} }

const (
	connections = 64
	distinct    = 10_000
	bigBody     = 512 << 20
)

// bench gathers figures, one value a round, by "row contender figure".
type bench struct {
	*lab
	rounds  int
	each    time.Duration
	only    string
	figures map[string][]float64
}

func (b *bench) note(row, contender, figure string, v float64) {
	key := row + " " + contender + " " + figure
	b.figures[key] = append(b.figures[key], v)
}

// all measures everything that is wanted and prints it.
func (b *bench) all(ctx context.Context) error {
	fmt.Printf("%d rounds, %v each; CPU is user and system time of all processes of a contender\n", b.rounds, b.each)
	for round := range b.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, b.rounds)
		if err := b.round(ctx); err != nil {
			return err
		}
	}
	b.print()
	return nil
}

// round starts every contender anew, so that each meets its tokens unseen, and
// runs the loads in turn.
func (b *bench) round(ctx context.Context) error {
	for _, name := range peers() {
		c, err := b.run(ctx, name)
		if err != nil {
			return err
		}
		err = b.measureAll(ctx, c)
		c.process.stop()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", name, err, c.process.out)
		}
	}
	return nil
}

func (b *bench) measureAll(ctx context.Context, c *contender) error {
	if b.wanted("7") {
		b.note("7", c.name, "start ms", ms(c.up))
		b.note("7", c.name, "RSS MiB", float64(c.process.rss())/(1<<20))
	}
	one, many := b.tokens.good(1), []string(nil)
	loads := []struct {
		row    string
		judges bool // for contenders that judge only
		do     func() error
	}{
		{"1", false, func() error {
			return b.perRequest(ctx, c, "1", spec{Kind: "requests", Path: "/", Tokens: one, Status: 200, Connections: connections, For: b.each})
		}},
		{"5", false, func() error {
			return b.latency(ctx, c, spec{Kind: "requests", Path: "/", Tokens: one, Status: 200, Connections: 1, For: b.each / 2})
		}},
		{"2", true, func() error {
			many = b.tokens.good(distinct / 5)
			return b.perRequest(ctx, c, "2", spec{Kind: "requests", Path: "/", Tokens: many, Once: true, Status: 200, Connections: connections, For: b.each})
		}},
		{"3", true, func() error {
			return b.perRequest(ctx, c, "3", spec{Kind: "requests", Path: "/", Tokens: b.tokens.forged(distinct), Once: true, Status: 401, Connections: connections, For: b.each})
		}},
		{"3b", true, func() error {
			bad := slices.Delete(b.tokens.cheap(), unknownKey, unknownKey+1)
			return b.perRequest(ctx, c, "3b", spec{Kind: "requests", Path: "/", Tokens: bad, Status: 401, Connections: connections, For: b.each})
		}},
		{"3b-garbage", true, func() error {
			return b.perRequest(ctx, c, "3b-garbage", spec{Kind: "requests", Path: "/", Tokens: []string{"no-token-at-all"}, Status: 401, Connections: connections, For: b.each})
		}},
		{"3c", true, func() error { return b.flood(ctx, c, one) }},
		{"4b", false, func() error {
			return b.perRequest(ctx, c, "4b", spec{Kind: "sockets", Tokens: b.tokens.good(connections), Connections: connections, For: b.each})
		}},
		{"6", false, func() error { return b.bodies(ctx, c, one) }},
		{"6b", false, func() error {
			r, _, err := b.load(ctx, c, spec{Kind: "events", Tokens: one})
			b.note("6b", c.name, "p50 us", us(r.P50))
			return err
		}},
	}
	for _, l := range loads {
		row := l.row
		if row == "3b-garbage" {
			row = "3b"
		}
		// Sockets need a query token verified, which HAProxy is not set up for.
		if !b.wanted(row) || l.judges && !c.judges || row == "4b" && c.name == "haproxy-jwt" {
			continue
		}
		if err := l.do(); err != nil {
			return fmt.Errorf("row %s: %w", l.row, err)
		}
	}
	return nil
}

// load runs a spec in a process of its own and returns what the contender's
// processes used meanwhile.
func (b *bench) load(ctx context.Context, c *contender, s spec) (result, time.Duration, error) {
	s.Address = c.address
	in, err := json.Marshal(s)
	if err != nil {
		return result{}, 0, err
	}
	cmd := exec.CommandContext(ctx, b.self, "load")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	before := c.process.cpu()
	out, err := cmd.Output()
	used := c.process.cpu() - before
	if err != nil {
		return result{}, 0, err
	}
	var r result
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, 0, err
	}
	if r.Error != "" {
		return r, used, errors.New(r.Error)
	}
	if r.Count == 0 {
		return r, used, errors.New("nothing was answered")
	}
	return r, used, nil
}

func (b *bench) perRequest(ctx context.Context, c *contender, row string, s spec) error {
	r, used, err := b.load(ctx, c, s)
	if err != nil {
		return err
	}
	b.note(row, c.name, "CPU us", us(used)/float64(r.Count))
	b.note(row, c.name, "per s", float64(r.Count)/r.Elapsed.Seconds())
	b.note(row, c.name, "p50 us", us(r.P50))
	b.note(row, c.name, "p99 us", us(r.P99))
	return nil
}

func (b *bench) latency(ctx context.Context, c *contender, s spec) error {
	r, _, err := b.load(ctx, c, s)
	b.note("5", c.name, "p50 us", us(r.P50))
	return err
}

// flood measures 8 good connections alone, and beside 32 that send bad signatures.
func (b *bench) flood(ctx context.Context, c *contender, one []string) error {
	good := spec{Kind: "requests", Path: "/", Tokens: one, Status: 200, Connections: 8, For: b.each}
	alone, _, err := b.load(ctx, c, good)
	if err != nil {
		return err
	}
	good.Flood, good.FloodOn = b.tokens.forged(distinct), 32
	under, _, err := b.load(ctx, c, good)
	b.note("3c", c.name, "p99 alone us", us(alone.P99))
	b.note("3c", c.name, "p99 us", us(under.P99))
	b.note("3c", c.name, "good per s", float64(under.Count)/under.Elapsed.Seconds())
	return err
}

func (b *bench) bodies(ctx context.Context, c *contender, one []string) error {
	for _, kind := range []string{"down", "up"} {
		_, used, err := b.load(ctx, c, spec{Kind: kind, Tokens: one, Bytes: bigBody})
		if err != nil {
			return err
		}
		b.note("6", c.name, kind+" CPU s/GiB", used.Seconds()*(1<<30)/bigBody)
	}
	return nil
}

func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
