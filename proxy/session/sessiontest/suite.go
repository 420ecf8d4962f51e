// Package sessiontest is what every session.Store must do.
//
// The rule it guards: a store in memory and one that many Catflaps share are the
// same to whoever uses them; where they could differ, a test says so.
package sessiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/session"
)

// Run holds stores to the contract. open makes one over the same data at each call
// within a test, as two Catflaps do, and pass lets time go by.
func Run(t *testing.T, open func(t *testing.T) (store func() session.Store, pass func(time.Duration))) {
	for name, test := range map[string]func(*testing.T, func() session.Store, func(time.Duration)){
		"values": values, "indexes": indexes, "once": once, "locks": locks, "events": events, "races": races,
	} {
		t.Run(name, func(t *testing.T) {
			store, pass := open(t)
			test(t, store, pass)
		})
	}
}

func wantValue(t *testing.T, s session.Store, key, want string) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	if want == "" && !errors.Is(err, session.ErrNotFound) || want != "" && (err != nil || string(got) != want) {
		t.Fatalf("%s is %q, %v; want %q", key, got, err, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func values(t *testing.T, store func() session.Store, pass func(time.Duration)) {
	a, b := store(), store()
	ctx := t.Context()
	wantValue(t, a, "k", "")
	must(t, a.Create(ctx, "k", []byte("one\x00\xff"), time.Minute))
	wantValue(t, b, "k", "one\x00\xff")
	must(t, b.Replace(ctx, "k", []byte("two")))
	wantValue(t, a, "k", "two")
	must(t, a.Create(ctx, "k", []byte("again"), time.Minute))
	wantValue(t, b, "k", "again")

	for name, err := range map[string]error{
		"Replace": a.Replace(ctx, "none", []byte("x")), "Touch": a.Touch(ctx, "none", time.Minute),
	} {
		if !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%s of nothing: %v", name, err)
		}
	}
	wantValue(t, a, "none", "")
	if ok, err := a.Delete(ctx, "none"); ok || err != nil {
		t.Errorf("Delete of nothing: %v %v", ok, err)
	}
	if _, err := a.Take(ctx, "none"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Take of nothing: %v", err)
	}
	if ok, err := b.Delete(ctx, "k"); !ok || err != nil {
		t.Errorf("Delete: %v %v", ok, err)
	}
	wantValue(t, a, "k", "")
	if err := a.Replace(ctx, "k", []byte("back")); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("Replace brings back what was deleted: %v", err)
	}
	wantValue(t, a, "k", "")

	must(t, a.Create(ctx, "short", []byte("x"), 300*time.Millisecond))
	must(t, a.Create(ctx, "kept", []byte("x"), 300*time.Millisecond))
	must(t, a.Create(ctx, "changed", []byte("x"), 300*time.Millisecond))
	must(t, a.Touch(ctx, "kept", time.Minute))
	must(t, a.Replace(ctx, "changed", []byte("y")))
	pass(400 * time.Millisecond)
	wantValue(t, a, "short", "")
	wantValue(t, a, "kept", "x")
	wantValue(t, a, "changed", "") // its time to live was not moved
	must(t, a.Ready(ctx))
}

func indexes(t *testing.T, store func() session.Store, pass func(time.Duration)) {
	a, b := store(), store()
	ctx := t.Context()
	must(t, a.Create(ctx, "1", []byte("x"), time.Minute, "alice", "sid-1"))
	must(t, b.Create(ctx, "2", []byte("x"), time.Minute, "alice"))
	must(t, b.Create(ctx, "3", []byte("x"), 300*time.Millisecond, "alice", "bob"))
	want := func(index string, keys ...string) {
		t.Helper()
		got, err := a.Find(ctx, index)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, keys) {
			t.Fatalf("%s finds %v %v, want %v", index, got, err, keys)
		}
	}
	want("alice", "1", "2", "3")
	want("sid-1", "1")
	want("nobody")
	pass(400 * time.Millisecond)
	want("alice", "1", "2")
	want("bob")
	if _, err := a.Delete(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	want("alice", "2")
	want("sid-1")
}

func once(t *testing.T, store func() session.Store, pass func(time.Duration)) {
	a, b := store(), store()
	for i, want := range []bool{true, false, false} {
		s := []session.Store{a, b, a}[i]
		if got, err := s.Once(t.Context(), "state", 300*time.Millisecond); err != nil || got != want {
			t.Errorf("%d: %v %v", i, got, err)
		}
	}
	if got, err := a.Once(t.Context(), "other", time.Minute); err != nil || !got {
		t.Errorf("another: %v %v", got, err)
	}
	pass(400 * time.Millisecond)
	if got, err := a.Once(t.Context(), "state", time.Minute); err != nil || !got {
		t.Errorf("after its time: %v %v", got, err)
	}
}

func locks(t *testing.T, store func() session.Store, pass func(time.Duration)) {
	a, b := store(), store()
	ctx := t.Context()
	unlock, ok, err := a.Lock(ctx, "l", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok, err := b.Lock(ctx, "l", time.Minute); err != nil || ok {
		t.Fatal("two have the lock", err)
	}
	unlock()
	late, ok, err := b.Lock(ctx, "l", 300*time.Millisecond)
	if err != nil || !ok {
		t.Fatal("it was not given back", err)
	}
	pass(400 * time.Millisecond)
	if _, ok, err = a.Lock(ctx, "l", time.Minute); err != nil || !ok {
		t.Fatal("a crashed owner keeps it", err)
	}
	late() // its own has ended: this must not take away another's
	if _, ok, err := b.Lock(ctx, "l", time.Minute); err != nil || ok {
		t.Fatal("somebody gave back a lock that was not theirs", err)
	}
}

func events(t *testing.T, store func() session.Store, _ func(time.Duration)) {
	a, b := store(), store()
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan string, 100)
	for name, s := range map[string]session.Store{"a": a, "b": b} {
		s.Subscribe(ctx, func(m []byte) {
			if m != nil {
				heard <- name + " " + string(m)
			}
		})
	}
	// A subscription may take a moment.
	for i := range 100 {
		must(t, b.Publish(t.Context(), []byte("are you there?")))
		if both(heard, time.Duration(i+1)*10*time.Millisecond) {
			break
		}
		if i == 99 {
			t.Fatal("nobody hears")
		}
	}
	drain(heard)
	must(t, a.Publish(t.Context(), []byte("ended\x00")))
	got := []string{<-heard, <-heard}
	slices.Sort(got)
	if !slices.Equal(got, []string{"a ended\x00", "b ended\x00"}) {
		t.Errorf("%q", got)
	}
	cancel()
}

// both waits until each of two has heard.
func both(heard chan string, patience time.Duration) bool {
	seen := map[byte]bool{}
	timeout := time.After(patience)
	for len(seen) < 2 {
		select {
		case m := <-heard:
			seen[m[0]] = true
		case <-timeout:
			return false
		}
	}
	return true
}

func drain(heard chan string) {
	for {
		select {
		case <-heard:
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
}

// races: of many at once, one.
func races(t *testing.T, store func() session.Store, _ func(time.Duration)) {
	a, b := store(), store()
	ctx := t.Context()
	must(t, a.Create(ctx, "take", []byte("x"), time.Minute))
	must(t, a.Create(ctx, "delete", []byte("x"), time.Minute))
	var took, deleted, first, locked atomic.Int32
	var wg sync.WaitGroup
	for i := range 40 {
		s := []session.Store{a, b}[i%2]
		wg.Go(func() {
			if v, err := s.Take(ctx, "take"); err == nil && bytes.Equal(v, []byte("x")) {
				took.Add(1)
			}
			if ok, _ := s.Delete(ctx, "delete"); ok {
				deleted.Add(1)
			}
			if ok, _ := s.Once(ctx, "once", time.Minute); ok {
				first.Add(1)
			}
			if _, ok, _ := s.Lock(ctx, "lock", time.Minute); ok {
				locked.Add(1)
			}
			if err := s.Create(ctx, fmt.Sprint("own ", i), []byte("x"), time.Minute, "many"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if took.Load() != 1 || deleted.Load() != 1 || first.Load() != 1 || locked.Load() != 1 {
		t.Errorf("took %d, deleted %d, first %d, locked %d; each must be 1", took.Load(), deleted.Load(), first.Load(), locked.Load())
	}
	if keys, err := a.Find(ctx, "many"); err != nil || len(keys) != 40 {
		t.Errorf("%d of 40 found, %v", len(keys), err)
	}
}
