package chat

import (
	"testing"
	"time"
)

// TestRate: a client may be burst seconds ahead, is refused as many in a row again, and
// is closed then.
func TestRate(t *testing.T) {
	const perSecond = 5
	now := time.Unix(1000, 0)
	r := newRate(perSecond)
	for range 2 { // the second time after a long silence
		for i := range 2*perSecond*burst + 3 {
			ok, keeps := r.take(now)
			if wantOK, wantKeeps := i < perSecond*burst, i < 2*perSecond*burst; ok != wantOK || keeps != wantKeeps {
				t.Fatalf("message %d: %v, %v", i, ok, keeps)
			}
		}
		now = now.Add(time.Hour)
	}
	for i := range 1000 { // as fast as it may, for ever
		if ok, keeps := r.take(now); !ok || !keeps {
			t.Fatalf("message %d: %v, %v", i, ok, keeps)
		}
		now = now.Add(time.Second / perSecond)
	}
	free := newRate(0)
	for range 10000 {
		if ok, keeps := free.take(now); !ok || !keeps {
			t.Fatal("any number is too many")
		}
	}
}
