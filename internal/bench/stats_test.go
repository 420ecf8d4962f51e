package main

import (
	"slices"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 2.5}} {
		before := slices.Clone(c.in)
		if got := median(c.in); got != c.want {
			t.Errorf("%v: %v", c.in, got)
		}
		if !slices.Equal(before, c.in) {
			t.Errorf("%v has been sorted in place", before)
		}
	}
}

func TestPercentile(t *testing.T) {
	d := []time.Duration{5, 1, 4, 2, 3}
	for p, want := range map[float64]time.Duration{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := percentile(d, p); got != want {
			t.Errorf("%v: %v, want %v", p, got, want)
		}
	}
	if got := percentile(nil, .5); got != 0 {
		t.Error(got)
	}
}

func TestRatiosAreTakenRoundByRound(t *testing.T) {
	// The machine is twice as slow in the second round: the ratio is the same.
	if got := ratios([]float64{2, 4, 2}, []float64{1, 2, 1}); !slices.Equal(got, []float64{2, 2, 2}) {
		t.Error(got)
	}
	if got := ratios([]float64{1, 6}, []float64{0, 2}); !slices.Equal(got, []float64{3}) {
		t.Error("nothing has a ratio to nothing:", got)
	}
	if got := ratios([]float64{1, 6}, []float64{1}); !slices.Equal(got, []float64{1}) {
		t.Error("a round that was cut off has a ratio:", got)
	}
}

func TestVerdicts(t *testing.T) {
	atMost, atLeast, alone := target{peer: "x"}, target{peer: "x", least: true}, target{}
	for _, c := range []struct {
		t         target
		is, bound float64
		want      string
	}{
		{atMost, .5, 1, "yes"}, {atMost, 1, 1, "yes, close"}, {atMost, 1.1, 1, "no, close"}, {atMost, 2, 1, "no"}, {atMost, 2, 0, "-"},
		{atLeast, 2, 1, "yes"}, {atLeast, .9, 1, "no, close"}, {atLeast, .5, 1, "no"},
		{alone, .99, 1, "yes"}, {alone, 1.01, 1, "no"}, // by itself: nobody's noise
	} {
		if got := c.t.verdict(c.is, c.bound); got != c.want {
			t.Errorf("%+v %v of %v: %q, want %q", c.t, c.is, c.bound, got, c.want)
		}
	}
}

func TestClaims(t *testing.T) {
	f := figures{}
	for i, speed := range []float64{1, 2, 1} {
		f.note("1", catflap, figCPU, 3*speed+float64(i))
		f.note("2", haproxy, figCPU, speed)
	}
	got, ok := target{row: "1", figure: figCPU, peer: haproxy, peerRow: "2"}.claim(f)
	if want := (claim{is: 3.5, low: 3, high: 5}); !ok || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, ok := (target{row: "1", figure: figCPU, peer: nginx}).claim(f); ok {
		t.Errorf("a claim without a peer: %+v", got)
	}
}

// TestTargetsHaveRows holds that no promise is about a figure that nobody takes.
func TestTargetsHaveRows(t *testing.T) {
	for _, promise := range targets() {
		if !slices.ContainsFunc(rows(), func(r row) bool {
			own := r.name == promise.row || len(promise.row) > len(r.name) && promise.row[:len(r.name)+1] == r.name+" "
			return own && r.measures(promise.whose()) && (promise.peer == "" || r.measures(promise.peer))
		}) {
			t.Errorf("%+v is measured by no row", promise)
		}
	}
}

func TestStatFields(t *testing.T) {
	got := fieldsBehindName("12 (a) b (c) S 1 12 12")
	if want := []string{"S", "1", "12", "12"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
