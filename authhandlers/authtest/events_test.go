package authtest_test

import (
	"sync"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
)

func TestEvents(t *testing.T) {
	e := authtest.NewEvents()
	e.Wait(t, "a", 0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { e.Wait(t, "a", 10) })
	}
	for range 10 {
		wg.Go(func() { e.Observe("a") })
	}
	wg.Wait()
	if a, b := e.Count("a"), e.Count("b"); a != 10 || b != 0 {
		t.Errorf("%d and %d", a, b)
	}
}
