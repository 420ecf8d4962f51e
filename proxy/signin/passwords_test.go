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
	q := newQueue()
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
			leave, err := q.enter(ctx, place(fmt.Sprintf("192.0.2.%d", i%10)), i%2 == 0)
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
	if most.Load() != 1 || through.Load() == 0 || q.taken || q.waits() > 0 || len(q.strangers.of)+len(q.known.of) > 0 {
		t.Errorf("%d at once, %d through, %d busy, left %+v", most.Load(), through.Load(), busy.Load(), q)
	}
	leave, err := q.enter(t.Context(), place("192.0.2.1"), false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	for range queueShare - 1 {
		wg.Go(func() { _, _ = q.enter(ctx, place("192.0.2.1"), false) })
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if q.waits() == queueShare-1 || time.Now().After(end) {
			break
		}
	}
	if _, err := q.enter(t.Context(), place("192.0.2.1"), false); !errors.Is(err, authhandlers.ErrBusy) {
		t.Errorf("beyond the share: %v", err)
	}
	cancel()
	wg.Wait()
	leave()
	if q.taken || len(q.strangers.of) > 0 {
		t.Errorf("left %+v", q)
	}
}

// waits is how many wait.
func (q *queue) waits() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.known.waiting) + len(q.strangers.waiting)
}

// TestStrangersInTheQueue: as many of them as may wait, of the same network too, keep
// nobody from the next turn who has been here.
func TestStrangersInTheQueue(t *testing.T) {
	q := newQueue()
	home := place("192.0.2.1")
	end, err := q.enter(t.Context(), home, false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range queueMost {
		wg.Go(func() {
			if leave, err := q.enter(ctx, place(fmt.Sprintf("192.0.2.%d", 1+(i+1)/queueShare)), false); err == nil {
				<-ctx.Done()
				leave()
			}
		})
	}
	for until := time.Now().Add(10 * time.Second); q.waits() < queueMost && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	if _, err := q.enter(ctx, place("198.51.100.1"), false); !errors.Is(err, authhandlers.ErrBusy) {
		t.Errorf("one stranger more: %v", err)
	}
	turn := make(chan error)
	go func() {
		leave, err := q.enter(ctx, home, true)
		turn <- err
		if err == nil {
			leave()
		}
	}()
	for until := time.Now().Add(10 * time.Second); q.waits() <= queueMost && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	end()
	select {
	case err := <-turn:
		if err != nil {
			t.Errorf("who has been here: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("who has been here waits behind strangers")
	}
	cancel()
	wg.Wait()
}

// breaking panics, as a handler of somebody's own may.
type breaking struct{ authhandlers.PasswordLogin }

func (breaking) LoginByPassword(context.Context, string, string) (*authhandlers.PasswordGrant, error) {
	panic("a handler of somebody's own")
}

// TestAPanicLeavesTheQueue: the next one has a turn.
func TestAPanicLeavesTheQueue(t *testing.T) {
	b := NewBounds(time.Now)
	s := &SignIn{o: Options{Bounds: b}, providers: []provider{{name: "cat", LoginProvider: breaking{}}}}
	func() {
		defer func() { _ = recover() }()
		_, _, _ = s.Grant(t.Context(), place("192.0.2.1"), "carla", "x")
	}()
	if b.passwords.queue.taken {
		t.Error("the turn was never given back")
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
