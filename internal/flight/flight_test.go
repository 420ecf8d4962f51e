package flight_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/internal/flight"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBad = errors.New("bad")

func TestDo(t *testing.T) {
	for name, want := range map[string]error{"a value": nil, "an error": errBad} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var g flight.Group[string, int]
				var done atomic.Int64
				work := func(context.Context) (int, error) {
					time.Sleep(time.Second)
					return int(done.Add(1)), want
				}
				for round := range 3 { // a flight that has landed is over
					var wg sync.WaitGroup
					for range 20 {
						wg.Go(func() {
							if v, err := g.Do(t.Context(), "a", work); v != round+1 || !errors.Is(err, want) {
								t.Errorf("%d, %v", v, err)
							}
						})
					}
					wg.Wait()
					if n := done.Load(); n != int64(round)+1 {
						t.Errorf("worked %d times in round %d", n, round)
					}
				}
				if g.UnderWay("a") != nil {
					t.Error("it is still under way")
				}
			})
		})
	}
}

// TestTheLeaderLeaves: one of the others works then, and nobody else fails.
func TestTheLeaderLeaves(t *testing.T) {
	for name, leave := range map[string]func(ctx context.Context, end func()) (int, error){
		"its client has gone": func(ctx context.Context, end func()) (int, error) {
			time.Sleep(time.Second)
			end()
			return 0, ctx.Err()
		},
		"it panics": func(context.Context, func()) (int, error) {
			time.Sleep(time.Second)
			panic("x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var g flight.Group[string, int]
				led := make(chan error, 1)
				go func() {
					ctx, end := context.WithCancel(t.Context())
					defer end()
					defer func() {
						if recover() != nil {
							led <- errBad
						}
					}()
					_, err := g.Do(ctx, "a", func(ctx context.Context) (int, error) { return leave(ctx, end) })
					led <- err
				}()
				synctest.Wait()
				var wg sync.WaitGroup
				var worked atomic.Int64
				for range 5 {
					wg.Go(func() {
						v, err := g.Do(t.Context(), "a", func(context.Context) (int, error) {
							worked.Add(1)
							time.Sleep(time.Second)
							return 7, nil
						})
						if v != 7 || err != nil {
							t.Errorf("%d, %v", v, err)
						}
					})
				}
				wg.Wait()
				if n := worked.Load(); n != 1 {
					t.Errorf("%d worked after it", n)
				}
				if err := <-led; err == nil {
					t.Error("who left has an outcome")
				}
			})
		})
	}
}

// TestAnOutcomeCounts: a leader that has its outcome tells it, although it has left.
func TestAnOutcomeCounts(t *testing.T) {
	var g flight.Group[string, int]
	ctx, end := context.WithCancel(t.Context())
	v, err := g.Do(ctx, "a", func(context.Context) (int, error) {
		end()
		return 7, nil
	})
	if v != 7 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
}

func TestAFollowerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string, int]
		var wg sync.WaitGroup
		wg.Go(func() {
			v, err := g.Do(t.Context(), "a", func(context.Context) (int, error) {
				time.Sleep(time.Minute)
				return 7, nil
			})
			if v != 7 || err != nil {
				t.Errorf("who leads: %d, %v", v, err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		v, err := g.Do(ctx, "a", func(context.Context) (int, error) {
			t.Error("two work at one time")
			return 0, nil
		})
		if v != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who leaves: %d, %v", v, err)
		}
		wg.Wait()
	})
}

// TestKeys: one key does not wait for another, and gets its own outcome.
func TestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int, int]
		start := time.Now()
		var wg sync.WaitGroup
		for k := range 200 {
			wg.Go(func() {
				v, err := g.Do(t.Context(), k%50, func(context.Context) (int, error) {
					time.Sleep(time.Second)
					return k % 50, nil
				})
				if v != k%50 || err != nil {
					t.Errorf("of %d: %d, %v", k%50, v, err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestLand: work that belongs to nobody who waits.
func TestLand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string, int]
		f, own := g.Join("a")
		if !own || g.UnderWay("a") != f {
			t.Fatal("the first is not its own")
		}
		if again, own := g.Join("a"); own || again != f {
			t.Error("two flights of one key")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before its end: %v", err)
		}
		go g.Land("a", f, 7, errBad)
		if v, err := f.Wait(t.Context()); v != 7 || !errors.Is(err, errBad) {
			t.Errorf("%d, %v", v, err)
		}
		<-f.Done()
		if !errors.Is(f.Err(), errBad) {
			t.Error(f.Err())
		}
		if next, own := g.Join("a"); !own || next == f {
			t.Error("a flight that has landed is joined")
		}
	})
}
