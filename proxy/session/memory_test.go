package session_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/session"
	"github.com/catflap/catflap/proxy/session/sessiontest"
)

func TestMemory(t *testing.T) {
	sessiontest.Run(t, func(t *testing.T) session.Store {
		s := session.NewMemory(nil, 1000)
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}

func TestMemoryIsBounded(t *testing.T) {
	ctx, c := t.Context(), newClock()
	m := session.NewMemory(c.Now, 3)
	for i := range 3 {
		if err := m.Create(ctx, strconv.Itoa(i), nil, time.Duration(i+1)*time.Minute, "i"); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Create(ctx, "more", nil, time.Minute); !errors.Is(err, session.ErrFull) {
		t.Errorf("%v, want ErrFull", err)
	}
	c.Advance(time.Minute)
	if err := m.Create(ctx, "more", nil, time.Minute); err != nil {
		t.Error(err)
	}
	if keys, _ := m.Find(ctx, "i"); len(keys) != 2 {
		t.Errorf("%q", keys)
	}
	c.Advance(time.Hour)
	if _, err := m.Get(ctx, "1"); !errors.Is(err, session.ErrNotFound) || m.Len() != 0 {
		t.Errorf("%v, and %d are kept", err, m.Len())
	}
	// Marks make room: the one that ends first.
	for i := range 4 {
		if ok, _ := m.Once(ctx, strconv.Itoa(i), time.Duration(4-i)*time.Minute); !ok {
			t.Errorf("mark %d", i)
		}
	}
	if ok, _ := m.Once(ctx, "0", time.Minute); ok {
		t.Error("a mark that is to last was dropped")
	}
}

func TestASlowSubscriberIsToldThatItMissedSome(t *testing.T) {
	m := session.NewMemory(nil, 3)
	ctx, cancel := context.WithCancel(t.Context())
	messages, err := m.Subscribe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if err := m.Publish(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	told := false
	for message := range messages {
		told = told || message == nil
	}
	if !told {
		t.Error("messages were dropped in silence")
	}
}
