package pace

import (
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	now := time.Unix(1000, 0)
	var b Bucket
	r := Rate{Burst: 3, PerSecond: 0.5}
	for i, step := range []struct {
		after time.Duration
		want  int
	}{
		{0, 0}, {0, 0}, {0, 0}, // at once
		{0, 2}, {0, 2}, // what is refused is not counted
		{time.Second, 1},
		{time.Second, 0},
		{0, 2},
		{-time.Hour, 2},                             // a clock that was set back gives nothing
		{time.Hour, 0},                              // and takes nothing
		{24 * time.Hour, 0}, {0, 0}, {0, 0}, {0, 2}, // no more than a burst is saved up
	} {
		now = now.Add(step.after)
		if got := b.Take(r, now); got != step.want {
			t.Errorf("step %d: wait %d, want %d", i, got, step.want)
		}
	}
}

func TestCount(t *testing.T) {
	now := time.Unix(1000, 0)
	var b Bucket
	r := Rate{Burst: 2, PerSecond: 1}
	for i, step := range []struct {
		after time.Duration
		want  float64
	}{
		{0, 1}, {0, 2}, {0, 3}, {0, 4}, // what is over is counted too
		{time.Second, 4}, {3 * time.Second, 2}, {time.Hour, 1},
	} {
		now = now.Add(step.after)
		if got := b.Count(r, now); got != step.want {
			t.Errorf("step %d: %v used, want %v", i, got, step.want)
		}
	}
}
