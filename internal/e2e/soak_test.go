package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/e2e/soak"
)

// TestSoak has 1,000 tabs open that only listen, and 200 people who talk, with the
// Cat going away meanwhile. `make soak` does the same with many more.
func TestSoak(t *testing.T) {
	t.Parallel()
	cat, err := soak.ServeCat("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cat.Close)
	f := start(t, config{cat: cat.Addr(), websocket: "linger: 2s"})
	plan := soak.Plan{
		Addresses: []string{f.addr}, Idle: 1000, Busy: 200, Solitary: 40,
		Pace: 400 * time.Millisecond, Churn: 10, For: 15 * time.Second, Patience: 30 * time.Second,
	}
	for n := range 600 {
		plan.Tokens = append(plan.Tokens, staff.token(fmt.Sprintf("soak-%d", n)))
	}
	_ = mustChat(t, f, alice()).Close() // what the first socket of all makes is not left over
	before, err := soak.Measure(t.Context(), f.admin)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	restarted := make(chan error, 1)
	report, err := plan.Run(ctx, func() error {
		time.AfterFunc(plan.For/2, func() { restarted <- cat.Restart(500 * time.Millisecond) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	heard := cat.Counted()
	t.Logf("%v\nthe Cat: %+v", report, heard)
	for _, fault := range report.Faults(false) {
		t.Error(fault)
	}
	if heard.Doubled > 0 {
		t.Errorf("the Cat got %d messages twice", heard.Doubled)
	}
	if _, err := soak.Settled(ctx, f.admin, before, 30*time.Second); err != nil {
		t.Error(err)
	}
}
