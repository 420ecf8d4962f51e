package pace

import (
	"testing"
	"time"
)

func TestAllowance(t *testing.T) {
	now := time.Unix(1000, 0)
	a := NewAllowance(2)
	take := func(n int) (ok, kept int) {
		for range n {
			takes, keeps := a.Take(now)
			if takes {
				ok++
			}
			if keeps {
				kept++
			}
		}
		return ok, kept
	}
	if ok, kept := take(8 + 9); ok != 8 || kept != 8+8 {
		t.Errorf("four seconds' worth at once, and as many refusals: %d, %d", ok, kept)
	}
	now = now.Add(6 * time.Second)
	if ok, _ := take(5); ok != 3 {
		t.Errorf("six seconds later, of which four and a half make up for the refusals: %d", ok)
	}
	now = now.Add(time.Hour)
	if ok, _ := take(20); ok != 8 {
		t.Errorf("after an hour: %d", ok)
	}
	if a = NewAllowance(0); true {
		if ok, kept := take(1000); ok != 1000 || kept != 1000 {
			t.Errorf("without a bound: %d, %d", ok, kept)
		}
	}
}
