package deadline_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/deadline"
)

type item struct {
	at    time.Time
	place int
}

func (i *item) Due() time.Time { return i.at }
func (i *item) Place() *int    { return &i.place }

func at(seconds int) time.Time { return time.Unix(1000+int64(seconds), 0) }

func TestExpired(t *testing.T) {
	var h deadline.Heap[*item]
	if _, ok := h.First(); ok {
		t.Error("an empty heap has a first")
	}
	if _, ok := h.Expired(at(0)); ok {
		t.Error("of an empty heap something is over")
	}
	late, soon := &item{at: at(20)}, &item{at: at(10)}
	h.Add(late)
	h.Add(soon)
	if one, ok := h.First(); !ok || one != soon {
		t.Errorf("first is %+v", one)
	}
	if one, ok := h.Expired(at(10).Add(-1)); ok {
		t.Errorf("over before its time: %+v", one)
	}
	if one, ok := h.Expired(at(10)); !ok || one != soon || soon.place != 0 || len(h) != 1 {
		t.Errorf("at its time: %+v, %v, %d left", one, ok, len(h))
	}
	late.at = at(5)
	h.Fix(late)
	if one, ok := h.Expired(at(10)); !ok || one != late || len(h) != 0 {
		t.Errorf("moved to an earlier time: %+v, %v", one, ok)
	}
	h.Remove(late) // it is in no heap
	h.Add(late)
	h.Remove(late)
	if len(h) != 0 || late.place != 0 {
		t.Errorf("%d are left", len(h))
	}
}

// TestAnyOrder compares with a plain list, after any mixture of changes.
func TestAnyOrder(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	var h deadline.Heap[*item]
	var plain []*item
	now := 0
	for range 5000 {
		switch n := r.IntN(10); {
		case n < 5:
			one := &item{at: at(now + r.IntN(100))}
			h.Add(one)
			plain = append(plain, one)
		case n < 7 && len(plain) > 0:
			one := plain[r.IntN(len(plain))]
			one.at = at(now + r.IntN(100))
			h.Fix(one)
		case n < 8 && len(plain) > 0:
			i := r.IntN(len(plain))
			h.Remove(plain[i])
			plain = slices.Delete(plain, i, i+1)
		default:
			now += r.IntN(20)
			var got, want []time.Time
			for one, ok := h.Expired(at(now)); ok; one, ok = h.Expired(at(now)) {
				got = append(got, one.at)
			}
			plain = slices.DeleteFunc(plain, func(one *item) bool {
				over := !at(now).Before(one.at)
				if over {
					want = append(want, one.at)
				}
				return over
			})
			slices.SortFunc(want, time.Time.Compare)
			if !slices.EqualFunc(got, want, time.Time.Equal) {
				t.Fatalf("seed %d: over are %v, want %v", seed, got, want)
			}
		}
		if len(h) != len(plain) {
			t.Fatalf("seed %d: %d are held, want %d", seed, len(h), len(plain))
		}
		for i, one := range h {
			if one.place != i+1 {
				t.Fatalf("seed %d: the place of %d is %d", seed, i, one.place)
			}
		}
	}
}
