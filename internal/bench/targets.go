package main

import (
	"cmp"
	"slices"
)

// target is a promise: Catflap's figure is at most a bound times a peer's, or at
// most the bound by itself; with least, at least. A bound of 0 promises nothing.
type target struct {
	row, figure string
	of          string // whose figure; empty: Catflap's
	peer        string // empty: by itself
	peerRow     string // empty: the same
	must, aim   float64
	least       bool
}

// targets are what Catflap may cost.
func targets() []target {
	list := []target{
		{row: "1", figure: figCPU, peer: haproxy, must: 1.0, aim: .5},
		{row: "1", figure: figCPU, peer: plainProxy, must: .85, aim: .42},
		{row: "1", figure: figCPU, peer: nginx, aim: 1.7},
		{row: "2", figure: figCPU, peer: haproxy, must: 1.8, aim: .8},
		{row: "3", figure: figCPU, peer: haproxy, must: 2.1, aim: 1.8},
	}
	for _, kind := range refusals() {
		list = append(list, target{row: "3b " + kind, figure: figCPU, peer: haproxy, peerRow: "3b " + garbage, must: 2.3, aim: 1.3})
	}
	return append(list,
		target{row: "3c", figure: figP99, peer: haproxy, must: 3, aim: 2},
		target{row: "3c", figure: figRate, peer: haproxy, must: 1.3, aim: 3, least: true},
		target{row: "4", figure: figIdle, must: 16, aim: 6},
		target{row: "4", figure: figIdle, of: separate, must: 9, aim: 2},
		target{row: "4", figure: figIdle, peer: nginx, aim: .5},
		target{row: "4", figure: figIdle, peer: haproxy, aim: 1.5},
		target{row: "4", figure: figIdle, peer: tunnel, aim: .5},
		target{row: "4", figure: figIdle, of: separate, peer: nginx, aim: .25},
		target{row: "4", figure: figIdle, of: separate, peer: haproxy, aim: 1},
		target{row: "4", figure: figIdle, of: separate, peer: tunnel, aim: .25},
		target{row: "4b", figure: figCPU, peer: nginx, must: 1.6, aim: 1.3},
		target{row: "4b", figure: figCPU, of: separate, peer: nginx, must: 1.6, aim: 1.3},
		target{row: "4b open", figure: figCPU, peer: nginx, must: 1.6, aim: 1.3},
		target{row: "4b open", figure: figCPU, of: separate, peer: nginx, must: 1.6, aim: 1.3},
		target{row: "4c", figure: figIdle, must: 60, aim: 28},
		target{row: "4c", figure: figIdle, peer: nginx, aim: 1.5},
		target{row: "4c", figure: figIdle, peer: plainProxy, aim: .5},
		target{row: "5", figure: figP50, peer: nginx, must: 1.8, aim: 1.25},
		target{row: "6", figure: figDown, peer: haproxy, must: .9, aim: .4},
		target{row: "6", figure: figUp, peer: haproxy, must: .9, aim: .4},
		target{row: "6b", figure: figP50, peer: nginx, must: 1.25, aim: 1.1},
		target{row: "7", figure: figStart, must: 50, aim: 12},
		target{row: "7", figure: figBinary, must: 20, aim: 12},
		target{row: "7", figure: figRSS, must: 25, aim: 14},
		target{row: "7b", figure: figHeap, must: .5, aim: .25},
		target{row: "8b", figure: figMallocs, must: 80, aim: 3},
	)
}

func (t target) whose() string { return cmp.Or(t.of, catflap) }

// claim is what a run says of a target.
type claim struct {
	is, low, high float64
}

// claim compares round by round. False means that the run has no such figures.
func (t target) claim(f figures) (claim, bool) {
	values := f.of(t.row, t.whose(), t.figure)
	if t.peer != "" {
		row := t.row
		if t.peerRow != "" {
			row = t.peerRow
		}
		values = ratios(values, f.of(row, t.peer, t.figure))
	}
	if len(values) == 0 {
		return claim{}, false
	}
	return claim{median(values), slices.Min(values), slices.Max(values)}, true
}

// noise is the share below which a difference of two contenders says nothing.
const noise = .15

// verdict says whether a bound holds; a ratio near it is said to be so.
func (t target) verdict(is, bound float64) string {
	if bound == 0 {
		return "-"
	}
	text := "no"
	if t.holds(is, bound) {
		text = "yes"
	}
	if t.peer != "" && is > bound*(1-noise) && is < bound*(1+noise) {
		text += ", close"
	}
	return text
}

func (t target) holds(is, bound float64) bool {
	if t.least {
		return is >= bound
	}
	return is <= bound
}
