package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	err := run(os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the bench itself, or one of the roles that it starts itself in.
func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case roleUpstream:
			return serveUpstream(args[1])
		case rolePlain:
			return servePlain(args[1], args[2])
		case roleTunnel:
			return serveTunnel(args[1], args[2])
		case roleLoad:
			return runLoad(os.Stdin, os.Stdout)
		}
	}
	s, err := readSettings(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "catflap-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := findPeers(ctx, os.Stderr); err != nil {
		return err
	}
	l, err := newLab(ctx, dir, distinct)
	if err != nil {
		return err
	}
	defer l.upstream.stop()
	if err := l.build(ctx); err != nil {
		return err
	}
	if s.profile != "" || s.allocs != "" {
		return profile(ctx, l, s)
	}
	b := &bench{lab: l, settings: s}
	return b.all(ctx, os.Stdout)
}

// settings are what the command line says.
type settings struct {
	rounds          int
	each            time.Duration // how long one load takes
	limit           time.Duration // for everything
	rows            rowSet
	profile, allocs string
}

func readSettings(args []string) (settings, error) {
	var s settings
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.IntVar(&s.rounds, "rounds", 5, "`ROUNDS` of each figure; the medians of their ratios are compared")
	f.DurationVar(&s.each, "for", 2*time.Second, "how long one load takes")
	f.DurationVar(&s.limit, "limit", 15*time.Minute, "the end of everything; what is there by then is printed")
	f.Var(&s.rows, "rows", "only these `ROWS`, such as 1,3c (default: all)")
	short := f.Bool("short", false, "two rounds of short loads: a first look, and no claim")
	f.StringVar(&s.profile, "profile", "", "write a processor profile of Catflap under row 1, or under the row that -rows names (2, 3, 3b, 4b), to this `FILE`, and measure nothing")
	f.StringVar(&s.allocs, "allocs", "", "the same for a profile of what it allocates")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("%q is no flag; see -help", f.Arg(0))
	}
	if *short {
		s.rounds, s.each = min(s.rounds, 2), min(s.each, 500*time.Millisecond)
	}
	if s.rounds < 1 || s.each <= 0 {
		return s, errors.New("at least one round that takes a while is needed")
	}
	return s, nil
}
