package backoff_test

import (
	"math"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/backoff"
)

func TestDoubled(t *testing.T) {
	for _, c := range []struct {
		first, longest time.Duration
		want           []int // seconds
	}{
		{time.Second, time.Minute, []int{1, 2, 4, 8, 16, 32, 60, 60, 60}},
		{time.Second, 8 * time.Second, []int{1, 2, 4, 8, 8}},
		{time.Second, time.Second, []int{1, 1}},
		{time.Minute, time.Second, []int{1, 1}},
	} {
		for before, seconds := range c.want {
			want := time.Duration(seconds) * time.Second
			if got := backoff.Doubled(c.first, c.longest, before); got != want {
				t.Errorf("%v to %v, after %d: %v, want %v", c.first, c.longest, before, got, want)
			}
		}
	}
	for _, longest := range []time.Duration{time.Hour, math.MaxInt64} {
		if got := backoff.Doubled(time.Second, longest, math.MaxInt); got != longest {
			t.Errorf("after any number: %v, want %v", got, longest)
		}
	}
}

func TestPart(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 3, 4, time.Second} {
		least, most := time.Duration(math.MaxInt64), time.Duration(-1)
		for range 2000 {
			got := backoff.Part(d, 4)
			least, most = min(least, got), max(most, got)
		}
		if least < 0 || most > d/4 || d == time.Second && most-least < d/8 {
			t.Errorf("of %v: %v to %v", d, least, most)
		}
	}
}
