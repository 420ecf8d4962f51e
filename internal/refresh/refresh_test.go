package refresh_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/internal/refresh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("it is down")

// source is what is fetched. It takes a while, and may be down.
type source struct {
	takes time.Duration
	down  atomic.Bool
	under atomic.Int32
	ended atomic.Int32

	mu    sync.Mutex
	began []time.Time
}

func (s *source) fetch(ctx context.Context) (func(), error) {
	defer s.under.Add(-1)
	if s.under.Add(1) > 1 {
		panic("two fetches at one time")
	}
	s.mu.Lock()
	s.began = append(s.began, time.Now())
	s.mu.Unlock()
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return func() { s.ended.Add(1) }, ctx.Err()
	}
	if s.down.Load() {
		return func() { s.ended.Add(1) }, errDown
	}
	return func() { s.ended.Add(1) }, nil
}

// fetches are the moments at which fetches have begun.
func (s *source) fetches() []time.Time {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.began)
}

// start runs a test in a bubble, with a loop that ends with it.
func start(t *testing.T, s *source, test func(t *testing.T, l *refresh.Loop, end func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		l := refresh.New(refresh.Options{Lifetime: time.Hour, Now: time.Now, Fetch: s.fetch})
		l.Start(ctx)
		test(t, l, cancel)
	})
}

func TestLifetime(t *testing.T) {
	s := &source{takes: time.Second}
	start(t, s, func(t *testing.T, l *refresh.Loop, _ func()) {
		for range 600 {
			time.Sleep(time.Minute)
			l.Poll(time.Now())
			l.Poll(time.Now()) // one more asks for no more
		}
		synctest.Wait()
		if n := len(s.fetches()); n < 10 || n > 14 {
			t.Errorf("%d fetches in ten hours", n)
		}
		for i, at := range s.fetches()[1:] {
			if pause := at.Sub(s.fetches()[i]); pause < 45*time.Minute || pause > time.Hour+2*time.Minute {
				t.Errorf("fetch %d after %v", i+1, pause)
			}
		}
		if n := int(s.ended.Load()); n != len(s.fetches()) || l.Reason() != nil {
			t.Errorf("%d of %d rounds were told of; %v", n, len(s.fetches()), l.Reason())
		}
	})
}

// TestNobodyAsks: the loop looks at the clock by itself.
func TestNobodyAsks(t *testing.T) {
	s := &source{}
	start(t, s, func(t *testing.T, _ *refresh.Loop, _ func()) {
		time.Sleep(10 * time.Hour)
		if n := len(s.fetches()); n < 10 || n > 14 {
			t.Errorf("%d fetches in ten hours", n)
		}
	})
}

func TestPausesBetweenFailures(t *testing.T) {
	s := &source{}
	s.down.Store(true)
	start(t, s, func(t *testing.T, l *refresh.Loop, _ func()) {
		for range 10 * 60 * 10 {
			time.Sleep(100 * time.Millisecond)
			l.Poll(time.Now())
		}
		if !errors.Is(l.Reason(), errDown) {
			t.Errorf("the reason is %v", l.Reason())
		}
		began := s.fetches()
		for i, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			want := time.Duration(seconds) * time.Second
			if pause := began[i+1].Sub(began[i]); pause < want || pause > want+want/4+2*time.Second {
				t.Errorf("after %d failures: %v, want %v and up to a quarter more", i+1, pause, want)
			}
		}
		s.down.Store(false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if l.Reason() != nil {
			t.Errorf("healed: %v", l.Reason())
		}
		n := len(s.fetches())
		time.Sleep(40 * time.Minute)
		if len(s.fetches()) != n {
			t.Error("it is fetched again before its lifetime is over")
		}
		s.down.Store(true)
		l.Begin()
		synctest.Wait()
		if got := len(s.fetches()); got != n+1 {
			t.Fatalf("%d fetches, want %d", got, n+1)
		}
		time.Sleep(4 * time.Second)
		if got := len(s.fetches()); got < n+2 {
			t.Error("the first pause after a good fetch is as long as the last one before")
		}
	})
}

// TestWait: all who ask wait for one round, and those who leave leave alone.
func TestWait(t *testing.T) {
	s := &source{takes: 10 * time.Second}
	start(t, s, func(t *testing.T, l *refresh.Loop, _ func()) {
		first, own := l.Begin()
		if own || l.UnderWay() != first {
			t.Error("the first round is somebody's own")
		}
		if err := l.Wait(t.Context(), first); err != nil || l.UnderWay() != nil {
			t.Errorf("after the first: %v", err)
		}
		synctest.Wait()
		if s.ended.Load() != 1 {
			t.Error("the round was not told of")
		}
		var wg sync.WaitGroup
		var owned, left atomic.Int32
		for i := range 20 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				if i%4 == 0 {
					ctx, cancel = context.WithTimeout(t.Context(), time.Second)
				}
				defer cancel()
				r, own := l.Begin()
				if own {
					owned.Add(1)
				}
				if err := l.Wait(ctx, r); err != nil {
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
					}
					left.Add(1)
				}
			})
		}
		wg.Wait()
		if owned.Load() != 1 || left.Load() != 5 || len(s.fetches()) != 2 {
			t.Errorf("%d own it, %d have left, %d fetches", owned.Load(), left.Load(), len(s.fetches()))
		}
	})
}

func TestEnd(t *testing.T) {
	s := &source{takes: time.Hour}
	start(t, s, func(t *testing.T, l *refresh.Loop, end func()) {
		got := make(chan error, 1)
		go func() { got <- l.Wait(t.Context(), l.UnderWay()) }()
		synctest.Wait()
		end()
		if err := <-got; !errors.Is(err, refresh.ErrEnded) {
			t.Errorf("who waits: %v", err)
		}
		synctest.Wait()
		if s.ended.Load() != 0 || l.Reason() != nil {
			t.Errorf("the end counts as a failure: %v", l.Reason())
		}
		time.Sleep(10 * time.Hour)
		l.Poll(time.Now())
		r, _ := l.Begin()
		if err := l.Wait(t.Context(), r); !errors.Is(err, refresh.ErrEnded) {
			t.Errorf("who comes later: %v", err)
		}
	})
}
