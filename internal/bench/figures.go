package main

import (
	"fmt"
	"slices"
	"strings"
)

// The figures of a row.
const (
	figCPU     = "CPU us"
	figRate    = "per s"
	figP50     = "p50 us"
	figP99     = "p99 us"
	figAlone   = "p99 us alone"
	figDown    = "down CPU s/GiB"
	figUp      = "up CPU s/GiB"
	figStart   = "start ms"
	figRSS     = "RSS MiB"
	figBinary  = "binary MB"
	figHeap    = "KiB a token"
	figMallocs = "allocations"
	figIdle    = "KiB each"
)

// figures hold one value for each round, by row, contender and figure.
type figures map[figureKey][]float64

type figureKey struct{ row, contender, figure string }

func (f figures) note(row, contender, figure string, v float64) {
	key := figureKey{row, contender, figure}
	f[key] = append(f[key], v)
}

func (f figures) of(row, contender, figure string) []float64 {
	return f[figureKey{row, contender, figure}]
}

// names returns the figures of a row in their order.
func (f figures) names(row string) []string {
	var list []string
	for _, name := range []string{figCPU, figRate, figP50, figP99, figAlone, figDown, figUp, figStart, figRSS, figBinary, figHeap, figMallocs, figIdle} {
		for _, c := range contenders() {
			if len(f.of(row, c, name)) > 0 && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// rowsOf returns the row itself, or its kinds in their order.
func (f figures) rowsOf(row string) []string {
	list := []string{row}
	if row == "3b" {
		list = nil
		for _, kind := range refusals() {
			list = append(list, row+" "+kind)
		}
	}
	return slices.DeleteFunc(list, func(name string) bool { return len(f.names(name)) == 0 })
}

// rowSet is the rows that were asked for; none means all.
type rowSet map[string]bool

func (s *rowSet) String() string { return "" }

// Set implements flag.Value.
func (s *rowSet) Set(text string) error {
	*s = rowSet{}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if !slices.ContainsFunc(rows(), func(r row) bool { return r.name == name }) {
			return fmt.Errorf("no row %q", name)
		}
		(*s)[name] = true
	}
	return nil
}

func (s rowSet) wants(row string) bool { return len(s) == 0 || s[row] }
