package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// printHead says what was measured where. A busy machine is told.
func (b *bench) printHead(ctx context.Context, out io.Writer) {
	fmt.Fprintf(out, "%d rounds of %v a load, in turn; %d processors; %s, %s, %s\n", b.rounds, b.each, runtime.NumCPU(), runtime.Version(),
		version(ctx, "nginx", "-v"), version(ctx, "haproxy", "-v"))
	text, err := os.ReadFile("/proc/loadavg")
	var load float64
	if _, scanned := fmt.Sscan(string(text), &load); err == nil && scanned == nil && load > float64(runtime.NumCPU())/2 {
		fmt.Fprintf(out, "Others are at work here (load %.1f): take these figures as a first look.\n", load)
	}
}

// print writes the figures as context, the ratios as claims, and which targets hold.
func (b *bench) print(out io.Writer) {
	fmt.Fprintln(out, "\nMedians of the rounds. By themselves they say nothing: another machine has others.")
	for _, r := range rows() {
		b.printRow(out, r)
	}
	fmt.Fprintf(out, "\nCatflap's figures, as multiples of the peer's in the same round: median (lowest to highest of %d).\n", b.done)
	fmt.Fprintf(out, "Within %.0f %% of a bound (close) a run decides nothing.\n", noise*100)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "row\tfigure\tagainst\tis\t\tmust\tholds\taim\tholds")
	kept, promised := 0, 0
	for _, t := range targets() {
		c, ok := t.claim(b.figures)
		if !ok {
			continue
		}
		against, sign := t.peer, "<="
		figure := t.figure
		if t.of != "" {
			figure += ", " + t.of
		}
		if against == "" {
			against = "itself"
		}
		if t.least {
			sign = ">="
		}
		must := "-"
		if t.must > 0 {
			must = fmt.Sprintf("%s %g", sign, t.must)
			promised++
			if t.holds(c.is, t.must) {
				kept++
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t(%.2f to %.2f)\t%s\t%s\t%s %g\t%s\n",
			t.row, figure, against, c.is, c.low, c.high, must, t.verdict(c.is, t.must), sign, t.aim, t.verdict(c.is, t.aim))
	}
	_ = w.Flush() // a terminal that has gone has nobody to tell
	fmt.Fprintf(out, "\n%d of %d targets that a release must keep hold.\n", kept, promised)
}

// printRow writes a row's medians, a line for each contender; the kinds of a row
// have a line each.
func (b *bench) printRow(out io.Writer, r row) {
	for _, name := range b.figures.rowsOf(r.name) {
		figures := b.figures.names(name)
		title := r.title
		if kind, ok := strings.CutPrefix(name, r.name+" "); ok {
			title += ": " + kind
		}
		fmt.Fprintf(out, "\n%s  %s\n", r.name, title)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "\t"+strings.Join(figures, "\t")+"\t")
		for _, c := range contenders() {
			var cells []string
			for _, f := range figures {
				cells = append(cells, number(b.figures.of(name, c, f)))
			}
			if slices.ContainsFunc(cells, func(s string) bool { return s != "" }) {
				fmt.Fprintln(w, c+"\t"+strings.Join(cells, "\t")+"\t")
			}
		}
		_ = w.Flush() // as above
	}
}

func number(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	m := median(values)
	if m >= 100 {
		return fmt.Sprintf("%.0f", m)
	}
	return fmt.Sprintf("%.2f", m)
}
