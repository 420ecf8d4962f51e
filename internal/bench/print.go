package main

import (
	"fmt"
	"os"
	"slices"
)

// target is a promise: Catflap's figure is at most bound times a peer's, or at
// most bound by itself; with least, at least.
type target struct {
	row, figure, peer string
	must, aim         float64
	least             bool
}

// targets are what Catflap may cost.
func targets() []target {
	return []target{
		{row: "1", figure: "CPU us", peer: "haproxy-jwt", must: 1.0, aim: .5},
		{row: "1", figure: "CPU us", peer: "go-rp", must: .85, aim: .42},
		{row: "2", figure: "CPU us", peer: "haproxy-jwt", must: 1.8, aim: .8},
		{row: "3", figure: "CPU us", peer: "haproxy-jwt", must: 2.1, aim: 1.8},
		{row: "3b", figure: "CPU us", peer: "haproxy-jwt", must: 2.3, aim: 1.3},
		{row: "3b-garbage", figure: "CPU us", peer: "haproxy-jwt", must: 2.3, aim: 1.3},
		{row: "3c", figure: "p99 us", peer: "haproxy-jwt", must: 3, aim: 2},
		{row: "3c", figure: "good per s", peer: "haproxy-jwt", must: 1.3, aim: 3, least: true},
		{row: "4b", figure: "CPU us", peer: "nginx", must: 1.6, aim: 1.3},
		{row: "5", figure: "p50 us", peer: "nginx", must: 1.8, aim: 1.25},
		{row: "6", figure: "down CPU s/GiB", peer: "haproxy-jwt", must: .9, aim: .4},
		{row: "6", figure: "up CPU s/GiB", peer: "haproxy-jwt", must: .9, aim: .4},
		{row: "6b", figure: "p50 us", peer: "nginx", must: 1.25, aim: 1.1},
		{row: "7", figure: "start ms", must: 50, aim: 12},
		{row: "7", figure: "RSS MiB", must: 25, aim: 14},
		{row: "7", figure: "binary MB", must: 20, aim: 12},
		{row: "7b", figure: "KiB a token", must: .5, aim: .25},
	}
}

// print writes the figures as context, and the ratios as claims.
func (b *bench) print() {
	if b.wanted("7") {
		if info, err := os.Stat(b.catflap); err == nil {
			b.note("7", "catflap", "binary MB", float64(info.Size())/1e6)
		}
	}
	if b.wanted("7b") {
		b.note("7b", "catflap", "KiB a token", heapOfAToken(b.tokens))
	}
	keys := make([]string, 0, len(b.figures))
	for k := range b.figures {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	fmt.Println("\nmedians (context only; row, contender, figure)")
	for _, k := range keys {
		v := b.figures[k]
		fmt.Printf("  %-42s %10.1f   (%.1f to %.1f)\n", k, median(v), slices.Min(v), slices.Max(v))
	}
	fmt.Println("\nratios, round by round (the claims)")
	fmt.Printf("  %-12s %-18s %-14s %8s %8s %8s\n", "row", "figure", "against", "is", "must", "aim")
	for _, t := range targets() {
		if is, ok := b.value(t); ok {
			against := t.peer
			if against == "" {
				against = "-"
			}
			fmt.Printf("  %-12s %-18s %-14s %8.2f %8s %8s\n", t.row, t.figure, against, is, t.verdict(is, t.must), t.verdict(is, t.aim))
		}
	}
}

func (b *bench) value(t target) (float64, bool) {
	ours := b.figures[t.row+" catflap "+t.figure]
	if len(ours) == 0 {
		return 0, false
	}
	if t.peer == "" {
		return median(ours), true
	}
	theirs := b.figures[t.row+" "+t.peer+" "+t.figure]
	return pairwise(ours, theirs), len(theirs) > 0
}

func (t target) verdict(is, bound float64) string {
	held := is <= bound
	if t.least {
		held = is >= bound
	}
	if held {
		return "holds"
	}
	return "no"
}
