package sessiontest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/session"
)

func testOnce(t *testing.T, s session.Store) {
	ctx := t.Context()
	first := func() bool { ok, err := s.Once(ctx, "m", time.Minute); return ok && err == nil }
	if n := together(first); n != 1 {
		t.Errorf("%d were the first", n)
	}
	must(t, s.Forget(ctx, "m"))
	if !first() || first() {
		t.Error("a forgotten mark is set once more, once")
	}
	if ok, err := s.Once(ctx, "short", 50*time.Millisecond); !ok || err != nil {
		t.Fatal(ok, err)
	}
	eventually(t, "the mark expires", func() bool {
		ok, err := s.Once(ctx, "short", time.Minute)
		return ok && err == nil
	})
}

func testLock(t *testing.T, s session.Store) {
	ctx := t.Context()
	var unlock func()
	held := make(chan func(), 20)
	if n := together(func() bool {
		u, ok, err := s.Lock(ctx, "l", time.Minute)
		if ok && err == nil {
			held <- u
		}
		return ok && err == nil
	}); n != 1 {
		t.Fatalf("%d hold the lock", n)
	}
	unlock = <-held
	if _, ok, err := s.Lock(ctx, "other", time.Minute); !ok || err != nil {
		t.Error("another lock:", ok, err)
	}
	unlock()
	again, ok, err := s.Lock(ctx, "l", time.Minute)
	if !ok || err != nil {
		t.Fatal("a released lock:", ok, err)
	}
	unlock() // of an owner of old: not theirs any more
	if _, ok, err := s.Lock(ctx, "l", time.Minute); ok || err != nil {
		t.Error("somebody released another's lock:", ok, err)
	}
	again()
}

func testLockExpires(t *testing.T, s session.Store) {
	ctx := t.Context()
	crashed, ok, err := s.Lock(ctx, "l", 50*time.Millisecond)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	eventually(t, "the lock of a crashed owner ends", func() bool {
		_, ok, err := s.Lock(ctx, "l", time.Minute)
		return ok && err == nil
	})
	crashed()
	if _, ok, err := s.Lock(ctx, "l", time.Minute); ok || err != nil {
		t.Error("a late owner released another's lock:", ok, err)
	}
}

func receive(t *testing.T, c <-chan []byte) []byte {
	t.Helper()
	select {
	case m, ok := <-c:
		if !ok {
			t.Fatal("the channel is closed")
		}
		return m
	case <-time.After(patience):
		t.Fatal("no message")
		return nil
	}
}

func testMessages(t *testing.T, s session.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, err := s.Subscribe(ctx)
	must(t, err)
	b, err := s.Subscribe(t.Context())
	must(t, err)
	must(t, s.Publish(ctx, []byte("1")))
	must(t, s.Publish(ctx, []byte("\x00\xff")))
	for _, c := range []<-chan []byte{a, b} {
		for _, text := range []string{"1", "\x00\xff"} {
			if m := receive(t, c); string(m) != text {
				t.Errorf("%q, want %q", m, text)
			}
		}
	}
	cancel()
	for m := range a {
		t.Errorf("%q after the end", m)
	}
	must(t, s.Publish(t.Context(), []byte("2")))
	if m := receive(t, b); string(m) != "2" {
		t.Errorf("%q", m)
	}
	must(t, s.Close())
	for m := range b {
		t.Errorf("%q after the store was closed", m)
	}
	if err := s.Ready(t.Context()); err == nil {
		t.Error("a closed store is ready")
	}
}

func testApart(t *testing.T, s session.Store) {
	ctx := t.Context()
	if ok, err := s.Once(ctx, "k", time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	unlock, ok, err := s.Lock(ctx, "k", time.Minute)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	must(t, s.Create(ctx, "k", []byte("1"), time.Minute, "k"))
	unlock()
	holds(t, s, "k", "1")
	if ok, err := s.Delete(ctx, "k"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, err := s.Once(ctx, "k", time.Minute); ok || err != nil {
		t.Error("the mark went with the entry:", ok, err)
	}
}

func testBytes(t *testing.T, s session.Store) {
	ctx := t.Context()
	value := bytes.Repeat([]byte{0, 0xff, '\n', '\r', '"', '$'}, 20_000)
	for _, key := range []string{"plain", "with space", "a\nb", "ü{x}*[]?", "\x00\xff"} {
		must(t, s.Create(ctx, key, value, time.Minute, "index "+key))
		holds(t, s, key, string(value))
		if keys, err := s.Find(ctx, "index "+key); err != nil || len(keys) != 1 || keys[0] != key {
			t.Errorf("%q: %q, %v", key, keys, err)
		}
	}
}
