package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the bench itself, or one of the roles that it starts itself in.
func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "upstream":
			return serveUpstream(args[1])
		case "plain":
			return servePlain(args[1], args[2])
		case "load":
			return runLoad()
		}
	}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := f.Int("rounds", 5, "`ROUNDS` of each figure; medians are compared")
	each := f.Duration("for", 2*time.Second, "how long one load takes")
	rows := f.String("rows", "", "only these rows, such as 1,3c (default: all)")
	profileTo := f.String("profile", "", "write a processor profile of row 1, or of the one that -rows names (3, 3b), to this `FILE`, and nothing else")
	if err := f.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "catflap-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := newLab(ctx, dir)
	if err != nil {
		return err
	}
	defer l.upstream.stop()
	if *profileTo != "" {
		return profile(ctx, l, *profileTo, *rows, *each)
	}
	b := &bench{lab: l, rounds: *rounds, each: *each, only: *rows, figures: map[string][]float64{}}
	return b.all(ctx)
}

// wanted reports whether a row was asked for.
func (b *bench) wanted(row string) bool {
	if b.only == "" {
		return true
	}
	for r := range strings.SplitSeq(b.only, ",") {
		if strings.TrimSpace(r) == row {
			return true
		}
	}
	return false
}
