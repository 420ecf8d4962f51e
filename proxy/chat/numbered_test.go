package chat

import (
	"slices"
	"testing"
)

// TestNumbered: messages keep their numbers when others are taken out or forgotten, and
// sizes count those alone that are there.
func TestNumbered(t *testing.T) {
	var l numbered
	for _, name := range []string{"a", "w", "b", "w", "c"} {
		l.add(frameOf(name))
	}
	size := frameOf("a").size()
	l.take(2)
	l.forget(1, func(*outbound) {})
	var got []uint64
	for _, e := range l.list {
		got = append(got, e.n)
	}
	if !slices.Equal(got, []uint64{2, 4, 5}) || l.gone != 1 || l.head != 5 {
		t.Errorf("numbers %v behind %d", got, l.gone)
	}
	if bytes, count := l.between(4, 5); bytes != size || count != 1 {
		t.Errorf("%d messages of %d bytes", count, bytes)
	}
	if l.hasMore(1, 4) || !l.hasMore(4, 5) {
		t.Error("words are taken for more, or more for words")
	}
	l.forget(5, func(*outbound) {})
	if bytes, count := l.between(0, 5); bytes != 0 || count != 0 || l.list != nil {
		t.Errorf("%d messages of %d bytes", count, bytes)
	}
}
