package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
)

// profile runs Catflap inside of this process under the load of a row, and writes
// where its time goes, or what it allocates: what the rows only add up. Reading
// the load's tokens is part of neither.
func profile(ctx context.Context, l *lab, s settings) error {
	load, err := profiled(l, s)
	if err != nil {
		return err
	}
	if s.allocs != "" {
		runtime.MemProfileRate = 512 // before anything is served
	}
	c, end, err := l.serveHere(ctx)
	if err != nil {
		return err
	}
	b := &bench{lab: l, settings: s, figures: figures{}}
	if s.profile != "" {
		err = written(s.profile, func(out io.Writer) error {
			if err := pprof.StartCPUProfile(out); err != nil {
				return err
			}
			defer pprof.StopCPUProfile()
			r, _, err := b.load(ctx, c, load)
			fmt.Println(r.Count, "requests")
			return err
		})
	}
	if s.allocs != "" && err == nil {
		err = written(s.allocs, func(out io.Writer) error {
			before := mallocs()
			r, _, err := b.load(ctx, c, load)
			if err != nil {
				return err
			}
			fmt.Printf("%.1f allocations a request\n", float64(mallocs()-before)/float64(r.Count))
			runtime.GC() // so that the profile holds everything
			return pprof.Lookup("allocs").WriteTo(out, 0)
		})
	}
	return errors.Join(err, end())
}

// profiled is the load of the one row that was asked for, or of row 1.
func profiled(l *lab, s settings) (spec, error) {
	load := spec{Kind: loadRequests, Tokens: l.tokens.good(1), Status: 200, Connections: connections, For: s.each}
	if len(s.rows) > 1 {
		return load, errors.New("a profile is of one row")
	}
	for row := range s.rows {
		switch row {
		case "1":
		case "2":
			load.Tokens, load.Once = l.tokens.good(distinct)[1:], true
		case "3":
			load.Tokens, load.Once, load.Status = l.tokens.forged(10*distinct), true, 401
		case "3b":
			load.Tokens, load.Status = []string{l.tokens.cheap()[garbage]}, 401
		case "4b":
			load = (&bench{lab: l, settings: s}).pingPong()
		default:
			return load, fmt.Errorf("row %s has no profile", row)
		}
	}
	return load, nil
}

func written(name string, write func(io.Writer) error) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(out), out.Close())
}
