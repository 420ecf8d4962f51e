package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

// bench is one run.
type bench struct {
	*lab
	settings
	figures figures
	done    int // whole rounds
}

// all measures everything that is wanted and prints it. Where the time ends first,
// what is there is printed all the same.
func (b *bench) all(ctx context.Context, out io.Writer) error {
	b.figures = figures{}
	b.printHead(ctx, out)
	var failed error
	for b.done < b.rounds && failed == nil {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", b.done+1, b.rounds)
		if failed = b.round(ctx); failed == nil {
			b.done++
		}
	}
	if b.done > 0 {
		b.print(out)
	}
	if failed != nil && ctx.Err() != nil {
		return fmt.Errorf("ended after %d of %d rounds: %w", b.done, b.rounds, context.Cause(ctx))
	}
	return failed
}

// round starts every contender again, so that each meets its tokens unseen, and
// has them take each load in turn. Each round begins with another contender.
func (b *bench) round(ctx context.Context) error {
	var live []*contender
	defer func() {
		for _, c := range live {
			c.process.stop()
		}
	}()
	for _, name := range contenders() {
		if !slices.ContainsFunc(rows(), func(r row) bool { return b.rows.wants(r.name) && r.measures(name) }) {
			continue
		}
		c, err := b.run(ctx, name)
		if err != nil {
			return err
		}
		live = append(live, c)
	}
	for _, r := range rows() {
		if !b.rows.wants(r.name) || r.rounds > 0 && b.done >= r.rounds {
			continue
		}
		for i := range live {
			c := live[(i+b.done)%len(live)]
			if !r.measures(c.name) {
				continue
			}
			if err := r.measure(b, ctx, c); err != nil {
				return fmt.Errorf("row %s, %s: %w\n%s", r.name, c.name, err, c.process.said())
			}
		}
	}
	return nil
}

// load runs a spec in a process of its own, and returns what the contender's
// processes used in that time.
func (b *bench) load(ctx context.Context, c *contender, s spec) (result, time.Duration, error) {
	s.Address = c.address
	in, err := json.Marshal(s)
	if err != nil {
		return result{}, 0, err
	}
	cmd := exec.CommandContext(ctx, b.self, roleLoad)
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
	switch {
	case r.Error != "":
		return r, used, errors.New(r.Error)
	case r.Count == 0:
		return r, used, errors.New("nothing was answered")
	}
	return r, used, nil
}

func (r result) rate() float64 { return float64(r.Count) / r.Elapsed.Seconds() }

// perRequest notes what each exchange of a load cost and took.
func (b *bench) perRequest(ctx context.Context, c *contender, row string, s spec) error {
	r, used, err := b.load(ctx, c, s)
	if err != nil {
		return err
	}
	b.figures.note(row, c.name, figCPU, us(used)/float64(r.Count))
	b.figures.note(row, c.name, figRate, r.rate())
	b.figures.note(row, c.name, figP50, us(r.P50))
	b.figures.note(row, c.name, figP99, us(r.P99))
	return nil
}
