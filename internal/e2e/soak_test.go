package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/e2e/soak"
)

// scale is how big a soak is.
type scale struct {
	people, idle, busy, solitary, churn int
	pace, talk, back                    time.Duration
	kills                               int
}

// soakScale is the small one for a binary with the race detector, or the full one that
// `make soak` asks for.
func soakScale() scale {
	if os.Getenv("CATFLAP_SOAK") == "full" {
		return scale{people: 4000, idle: 8000, busy: 500, solitary: 100, churn: 50, pace: 400 * time.Millisecond, talk: time.Minute, back: 5 * time.Second, kills: 2}
	}
	return scale{people: 600, idle: 1000, busy: 200, solitary: 40, churn: 10, pace: 400 * time.Millisecond, talk: 20 * time.Second, back: 3 * time.Second, kills: 1}
}

// TestSoak has many tabs open that only listen, and people who talk, at two Catflaps
// before one Cat. The Cat breaks connections while turns run, goes away and comes back, and
// a Catflap is killed while turns run and comes back.
func TestSoak(t *testing.T) {
	t.Parallel()
	size := soakScale()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cat := startActor(t, soak.RoleCat)
	var at soak.Address
	cat.hear(&at)
	c := startCoupleOf(t, config{cat: at.Address, websocket: "linger: 8s"})
	flaps := []*flap{c.a, c.b}
	plan := soak.Plan{
		Addresses: []string{c.a.addr, c.b.addr}, Idle: size.idle, Busy: size.busy, Solitary: size.solitary,
		Pace: size.pace, Churn: size.churn, Return: size.back, For: size.talk, Patience: 30 * time.Second,
	}
	for n := range size.people {
		plan.Tokens = append(plan.Tokens, staff.token(fmt.Sprintf("soak-%d", n)))
	}
	figures := func() (list []soak.Figures) {
		for _, f := range flaps {
			now, err := soak.Measure(ctx, f.admin)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, now)
		}
		return list
	}
	for _, f := range flaps {
		_ = mustChat(t, f, alice()).Close() // what the first socket of all makes is not left over
	}
	before := figures()

	clients := startActor(t, soak.RoleClients)
	clients.say(plan)
	var idle soak.Idle
	clients.hear(&idle)
	awaitQuiet(ctx, t, flaps)
	open := figures()
	resident := open[0].Resident + open[1].Resident - before[0].Resident - before[1].Resident
	t.Logf("%d idle tabs of %d people: %.1f KiB for each, with the person's socket at the Cat", size.idle, size.people, resident/float64(size.idle))
	clients.say("talk")

	var heard soak.Heard
	pause := size.talk / time.Duration(size.kills+2)
	time.Sleep(pause)
	t.Logf("the Cat goes away at %s", time.Now().Format(time.StampMilli))
	cat.order("restart 500ms")
	cat.hear(&heard)
	var kills []time.Time
	for n := range size.kills {
		time.Sleep(pause)
		f := flaps[n%len(flaps)]
		t.Logf("%s is killed at %s", f.addr, time.Now().Format(time.StampMilli))
		kills = append(kills, time.Now())
		f.kill()
		f.again()
	}
	var report soak.Report
	clients.hear(&report)
	cat.order("count")
	cat.hear(&heard)
	t.Logf("%v\nthe Cat: %+v", report, heard)
	for _, lost := range report.LostAt {
		t.Logf("lost: said to %s at %s, the tab left early: %v; message %d of person %d", lost.By, lost.At.Format(time.StampMilli), lost.Left, lost.N, lost.Who)
	}
	for _, fault := range report.Faults(kills) {
		t.Error(fault)
	}
	if heard.Doubled > 0 {
		t.Errorf("the Cat got %d messages twice", heard.Doubled)
	}
	if heard.Interrupted == 0 {
		t.Error("the Cat has interrupted no turn")
	}
	for i, f := range flaps {
		if _, err := soak.Settled(ctx, f.admin, before[i], 40*time.Second); err != nil {
			t.Error(err)
		}
	}
}

// awaitQuiet waits until the Catflaps do nothing any more for a moment.
func awaitQuiet(ctx context.Context, t testing.TB, flaps []*flap) {
	t.Helper()
	for _, f := range flaps {
		last := soak.Figures{}
		await(t, "quiet", func() bool {
			now, err := soak.Measure(ctx, f.admin)
			if err != nil {
				t.Fatal(err)
			}
			same := now.Goroutines == last.Goroutines && now.Descriptors == last.Descriptors
			last = now
			time.Sleep(500 * time.Millisecond)
			return same && f.ready() == http.StatusOK
		}, func() string { return fmt.Sprintf("%+v", last) })
	}
}
