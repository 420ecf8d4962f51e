// Package deadline holds things by the time at which each is due.
//
// The rule it guards: to learn which of them are over costs what is over, and no walk
// through all, with ten things and with ten thousand. A thing is in one heap at most,
// and knows its place there, so that taking it out needs no search either.
//
// It starts no goroutine and holds no lock: the owner of a [Heap] guards it, and the
// places of what is in it.
package deadline

import (
	"container/heap"
	"time"
)

// Item is what a heap can hold.
type Item interface {
	// Due is when it is due. While a heap holds it, [Heap.Fix] must follow a change.
	Due() time.Time
	// Place is the heap's own note of where the item is. Zero means that it is in none.
	Place() *int
}

// Heap holds items, the next that is due first. The zero value is empty.
type Heap[T Item] []T

// Add takes an item that is in no heap.
func (h *Heap[T]) Add(one T) { heap.Push((*ordered[T])(h), one) }

// Remove takes an item out, if it is in.
func (h *Heap[T]) Remove(one T) {
	if p := *one.Place(); p != 0 {
		heap.Remove((*ordered[T])(h), p-1)
	}
}

// Fix puts an item in its place after the time has changed at which it is due.
func (h *Heap[T]) Fix(one T) { heap.Fix((*ordered[T])(h), *one.Place()-1) }

// First returns the item that is due next. False means that the heap is empty.
func (h Heap[T]) First() (one T, ok bool) {
	if len(h) == 0 {
		return one, false
	}
	return h[0], true
}

// Expired takes out an item that is due now. False means that there is none.
func (h *Heap[T]) Expired(now time.Time) (one T, ok bool) {
	if one, ok = h.First(); !ok || now.Before(one.Due()) {
		return one, false
	}
	h.Remove(one)
	return one, true
}

// ordered has the methods that container/heap calls.
type ordered[T Item] []T

func (o ordered[T]) Len() int           { return len(o) }
func (o ordered[T]) Less(i, j int) bool { return o[i].Due().Before(o[j].Due()) }
func (o ordered[T]) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	*o[i].Place(), *o[j].Place() = i+1, j+1
}

func (o *ordered[T]) Push(x any) {
	one := x.(T)
	*o = append(*o, one)
	*one.Place() = len(*o)
}

func (o *ordered[T]) Pop() any {
	var none T
	last := len(*o) - 1
	one := (*o)[last]
	(*o)[last] = none // nothing keeps it alive
	*o = (*o)[:last]
	*one.Place() = 0
	return one
}
