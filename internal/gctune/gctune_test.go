package gctune

import (
	"context"
	"runtime/debug"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestWhatTheOperatorHasSetStands: neither the percentage nor the limit is changed.
func TestWhatTheOperatorHasSetStands(t *testing.T) {
	const percent, limit = 77, 3 << 30
	t.Setenv("GOGC", "77")
	t.Setenv("GOMEMLIMIT", "3GiB")
	defer debug.SetGCPercent(debug.SetGCPercent(percent))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if got := Start(ctx); got != limit {
		t.Errorf("the process may use %d bytes, want %d", got, limit)
	}
	var l limiter
	l.apply(1 << 40)
	if got := debug.SetMemoryLimit(-1); got != limit {
		t.Errorf("the limit is %d, want %d", got, limit)
	}
	if got := debug.SetGCPercent(percent); got != percent {
		t.Errorf("the percentage is %d, want %d", got, percent)
	}
}
