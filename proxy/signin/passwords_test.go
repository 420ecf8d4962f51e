package signin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/pace"
)

func place(text string) netip.Addr { return pace.Network(netip.MustParseAddr(text)) }

// guess tries a wrong password n times, and returns how many were looked at.
func guess(p *passwords, from netip.Addr, name string, n int) (looked int) {
	for range n {
		if _, err := p.enter(from, name); err == nil {
			looked++
		}
	}
	return looked
}

// TestGuessesHaveShares: wrong ones of a network, under a name and in all are few, and
// who has been here from the same network is held up by nobody else's.
func TestGuessesHaveShares(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPasswords(func() time.Time { return now })
	home := place("192.0.2.7")
	settle, err := p.enter(home, "carla")
	if err != nil {
		t.Fatal(err)
	}
	settle(nil)
	if n := guess(p, place("198.51.100.1"), "bob", 30); n != 10 {
		t.Errorf("of one network %d", n)
	}
	if n := guess(p, place("198.51.100.1"), "carla", 30); n != 0 {
		t.Errorf("of the same network under another name %d", n)
	}
	under := 0
	for i := range 30 {
		under += guess(p, place(fmt.Sprintf("203.0.113.%d", i)), "carla", 1)
	}
	if under != 10 {
		t.Errorf("under one name %d", under)
	}
	all := 0
	for i := range 200 {
		all += guess(p, place(fmt.Sprintf("10.0.%d.1", i)), fmt.Sprint("name", i), 1)
	}
	if all > 60 {
		t.Errorf("in all %d", all)
	}
	if _, err := p.enter(home, "carla"); err != nil {
		t.Errorf("who has been here: %v", err)
	}
	_, err = p.enter(place("192.0.2.99"), "dora")
	if over, ok := errors.AsType[*TooManyError](err); !ok || over.Own || over.Wait < 1 {
		t.Errorf("a stranger while there are too many: %v", err)
	}
	now = now.Add(time.Minute)
	if _, err := p.enter(place("192.0.2.99"), "dora"); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// TestAnOutageIsNoGuess: people who try again while the Cat can't be asked are not taken
// for somebody who guesses.
func TestAnOutageIsNoGuess(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPasswords(func() time.Time { return now })
	from := place("192.0.2.7")
	for i := range 30 {
		settle, err := p.enter(from, "carla")
		if err != nil {
			t.Fatalf("after %d faults: %v", i, err)
		}
		settle(errors.New("the Cat can't be reached"))
	}
	for i := range 10 {
		settle, err := p.enter(from, "carla")
		if err != nil {
			t.Fatalf("after %d wrong ones: %v", i, err)
		}
		settle(authhandlers.Reject(authhandlers.CodeLoginDenied, "", "wrong"))
	}
	if _, err := p.enter(from, "carla"); err == nil {
		t.Error("wrong ones do not count")
	}
}

// TestTheQueueLetsOneThrough: one at a time, no more of a network than its share, and who
// goes away leaves no gap.
func TestTheQueueLetsOneThrough(t *testing.T) {
	q := &queue{of: map[netip.Addr]int{}}
	var under, most atomic.Int32
	var wg sync.WaitGroup
	var busy, through atomic.Int32
	for i := range 40 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%5 == 0 {
				cancel()
			}
			leave, err := q.enter(ctx, place(fmt.Sprintf("192.0.2.%d", i%10)))
			if errors.Is(err, authhandlers.ErrBusy) {
				busy.Add(1)
			}
			if err != nil {
				return
			}
			through.Add(1)
			if n := under.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Millisecond)
			under.Add(-1)
			leave()
		})
	}
	wg.Wait()
	if most.Load() != 1 || through.Load() == 0 || q.taken || len(q.waiting) > 0 || len(q.of) > 0 {
		t.Errorf("%d at once, %d through, %d busy, left %+v", most.Load(), through.Load(), busy.Load(), q)
	}
	leave, err := q.enter(t.Context(), place("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	for range queueShare - 1 {
		wg.Go(func() { _, _ = q.enter(ctx, place("192.0.2.1")) })
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		q.mu.Lock()
		n := len(q.waiting)
		q.mu.Unlock()
		if n == queueShare-1 || time.Now().After(end) {
			break
		}
	}
	if _, err := q.enter(t.Context(), place("192.0.2.1")); !errors.Is(err, authhandlers.ErrBusy) {
		t.Errorf("beyond the share: %v", err)
	}
	cancel()
	wg.Wait()
	leave()
	if q.taken || len(q.of) > 0 {
		t.Errorf("left %+v", q)
	}
}

func TestCheckPassword(t *testing.T) {
	for _, c := range []struct {
		name, password string
		good           bool
	}{{"carla", "x", true}, {"", "x", false}, {"carla", "", false}, {"a\xff", "x", false}, {"carla", "\xff", false}, {string(make([]byte, 257)), "x", false}} {
		if err := CheckPassword(c.name, c.password); (err == nil) != c.good {
			t.Errorf("%q: %v", c.name, err)
		}
	}
}
