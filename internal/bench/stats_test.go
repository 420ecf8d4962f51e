package main

import (
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 5}, 5}} {
		if got := median(c.in); got != c.want {
			t.Errorf("%v: %v", c.in, got)
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
}

func TestPairwiseIsTheMedianOfRoundsRatios(t *testing.T) {
	// The machine is twice as slow in the second round: the ratio is the same.
	if got := pairwise([]float64{2, 4, 2}, []float64{1, 2, 1}); got != 2 {
		t.Error(got)
	}
	if got := pairwise([]float64{1}, []float64{0}); got != 0 {
		t.Error(got)
	}
}
