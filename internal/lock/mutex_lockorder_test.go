//go:build lockorder

package lock

import (
	"strings"
	"testing"
)

type (
	outer struct{}
	inner struct{}
)

func TestCheck(t *testing.T) {
	var a Of[outer]
	var b Of[inner]
	a.Lock()
	b.Lock()
	b.Unlock()
	a.Unlock()
	if wrong := Check([]string{"outer", "inner"}); len(wrong) > 0 {
		t.Errorf("in order: %v", wrong)
	}
	for _, order := range [][]string{{"inner", "outer"}, {"outer"}, nil} {
		if wrong := Check(order); len(wrong) != 1 || !strings.Contains(wrong[0], "inner is taken while outer is held") {
			t.Errorf("%v: %v", order, wrong)
		}
	}
	if !b.TryLock() || b.TryLock() {
		t.Error("TryLock")
	}
	a.Lock() // held together, and that way round is wrong
	a.Unlock()
	done := make(chan struct{})
	go func() { // another goroutine may give it back
		defer close(done)
		b.Unlock()
	}()
	<-done
	a.Lock()
	a.Unlock()
	if wrong := Check([]string{"outer", "inner"}); len(wrong) != 1 {
		t.Errorf("the other way round: %v", wrong)
	}
}
