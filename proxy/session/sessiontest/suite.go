// Package sessiontest holds what each store of sessions must do.
//
// The rule it guards: no store makes a weaker promise than another. Sessions end when
// and where the memory store ends them, whatever keeps them.
package sessiontest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/session"
)

// patience bounds each wait for what must happen.
const patience = 10 * time.Second

// Run tests the stores that newStore makes. Each call must return one that holds
// nothing yet; the caller closes it with the test. Time is the real one.
func Run(t *testing.T, newStore func(t *testing.T) session.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, session.Store)
	}{
		{"an entry", testEntry},
		{"what has ended stays so", testEnded},
		{"time to live", testExpiry},
		{"touch", testTouch},
		{"indexes", testIndexes},
		{"one deletes and one takes", testOneTakes},
		{"once", testOnce},
		{"lock", testLock},
		{"lock of a crashed owner", testLockExpires},
		{"messages", testMessages},
		{"kinds of keys are apart", testApart},
		{"any bytes", testBytes},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, newStore(t)) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("%v, want %v", err, target)
	}
}

func holds(t *testing.T, s session.Store, key, value string) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	if err != nil || string(got) != value {
		t.Fatalf("%s is %q, %v; want %q", key, got, err, value)
	}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func gone(s session.Store, key string) func() bool {
	return func() bool {
		_, err := s.Get(context.Background(), key)
		return errors.Is(err, session.ErrNotFound)
	}
}

func testEntry(t *testing.T, s session.Store) {
	ctx := t.Context()
	must(t, s.Ready(ctx))
	_, err := s.Get(ctx, "a")
	want(t, err, session.ErrNotFound)
	must(t, s.Create(ctx, "a", []byte("1"), time.Minute))
	holds(t, s, "a", "1")
	want(t, s.Create(ctx, "a", []byte("2"), time.Minute), session.ErrExists)
	holds(t, s, "a", "1")
	must(t, s.Replace(ctx, "a", []byte("3")))
	holds(t, s, "a", "3")
	got, err := s.Get(ctx, "a")
	must(t, err)
	got[0] = 'x'
	holds(t, s, "a", "3")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Get(ended, "a"); err == nil || errors.Is(err, session.ErrNotFound) {
		t.Errorf("with an ended context: %v", err)
	}
}

func testEnded(t *testing.T, s session.Store) {
	ctx := t.Context()
	must(t, s.Create(ctx, "a", []byte("1"), time.Minute, "i"))
	if ok, err := s.Delete(ctx, "a"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	want(t, s.Replace(ctx, "a", []byte("2")), session.ErrNotFound)
	want(t, s.Touch(ctx, "a", time.Minute), session.ErrNotFound)
	if ok, err := s.Delete(ctx, "a"); ok || err != nil {
		t.Error(ok, err)
	}
	_, err := s.Take(ctx, "a")
	want(t, err, session.ErrNotFound)
	_, err = s.Get(ctx, "a")
	want(t, err, session.ErrNotFound)
	if keys, err := s.Find(ctx, "i"); len(keys) != 0 || err != nil {
		t.Error(keys, err)
	}
	must(t, s.Create(ctx, "a", []byte("4"), time.Minute))
	holds(t, s, "a", "4")
}

func testExpiry(t *testing.T, s session.Store) {
	ctx := t.Context()
	must(t, s.Create(ctx, "a", []byte("1"), 100*time.Millisecond, "i"))
	must(t, s.Create(ctx, "b", []byte("1"), time.Minute, "i"))
	must(t, s.Replace(ctx, "a", []byte("2"))) // keeps the time to live
	eventually(t, "it expires", gone(s, "a"))
	want(t, s.Replace(ctx, "a", []byte("3")), session.ErrNotFound)
	if keys, err := s.Find(ctx, "i"); err != nil || !slices.Equal(keys, []string{"b"}) {
		t.Error(keys, err)
	}
	must(t, s.Create(ctx, "a", []byte("4"), time.Minute))
	holds(t, s, "a", "4")
	must(t, s.Create(ctx, "c", []byte("1"), 0))
	_, err := s.Get(ctx, "c")
	want(t, err, session.ErrNotFound)
}

func testTouch(t *testing.T, s session.Store) {
	ctx := t.Context()
	want(t, s.Touch(ctx, "none", time.Minute), session.ErrNotFound)
	must(t, s.Create(ctx, "a", []byte("1"), 200*time.Millisecond, "i"))
	must(t, s.Create(ctx, "b", []byte("1"), 200*time.Millisecond, "i"))
	must(t, s.Touch(ctx, "a", time.Minute))
	eventually(t, "the one that was not touched expires", gone(s, "b"))
	holds(t, s, "a", "1")
	// The index lives as long as the longest-lived under it.
	if keys, err := s.Find(ctx, "i"); err != nil || !slices.Equal(keys, []string{"a"}) {
		t.Error(keys, err)
	}
	must(t, s.Touch(ctx, "a", time.Millisecond))
	eventually(t, "a shorter time", gone(s, "a"))
}

func testIndexes(t *testing.T, s session.Store) {
	ctx := t.Context()
	for i := range 100 {
		must(t, s.Create(ctx, strconv.Itoa(i), []byte("1"), time.Minute, "all", "mod"+strconv.Itoa(i%2)))
	}
	for index, n := range map[string]int{"all": 100, "mod0": 50, "mod1": 50, "none": 0} {
		if keys, err := s.Find(ctx, index); err != nil || len(keys) != n {
			t.Errorf("%s: %d keys, %v", index, len(keys), err)
		}
	}
	if _, err := s.Delete(ctx, "3"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Take(ctx, "5"); err != nil {
		t.Fatal(err)
	}
	keys, err := s.Find(ctx, "mod1")
	if err != nil || len(keys) != 48 || slices.Contains(keys, "3") || slices.Contains(keys, "5") {
		t.Error(keys, err)
	}
}

func testOneTakes(t *testing.T, s session.Store) {
	ctx := t.Context()
	for _, take := range []func() bool{
		func() bool { ok, err := s.Delete(ctx, "a"); return ok && err == nil },
		func() bool { v, err := s.Take(ctx, "a"); return err == nil && string(v) == "1" },
	} {
		must(t, s.Create(ctx, "a", []byte("1"), time.Minute))
		if n := together(take); n != 1 {
			t.Errorf("%d got it", n)
		}
	}
	if n := together(func() bool { return s.Create(ctx, "b", []byte("1"), time.Minute) == nil }); n != 1 {
		t.Errorf("%d created it", n)
	}
}

// together calls f by many at once and returns how many were told true.
func together(f func() bool) int64 {
	var n atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if f() {
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return n.Load()
}
