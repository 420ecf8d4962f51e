package chat

import (
	"slices"
	"sort"
)

// numbered holds messages by number: each that is added has the next one. Its owner guards
// it, and counts the memory of the messages.
type numbered struct {
	list []logged
	one  [1]logged // room for a list of one, which most are
	head uint64    // the last number
	gone uint64    // all up to this number are forgotten
}

// logged is a message under its number.
type logged struct {
	n    uint64
	end  int64 // the bytes of all messages up to it, since the list was empty
	m    *outbound
	read bool // by a reader that has left
}

// add gives a message the next number.
func (l *numbered) add(m *outbound) {
	if l.list == nil {
		l.list = l.one[:0]
	}
	end := l.endAt(l.head)
	l.head++
	l.list = append(l.list, logged{n: l.head, end: end + m.size(), m: m})
}

// take takes out the message at a place.
func (l *numbered) take(i int) *outbound {
	m := l.list[i].m
	if l.list = slices.Delete(l.list, i, i+1); len(l.list) == 0 {
		l.list = nil
	}
	for k := i; k < len(l.list); k++ {
		l.list[k].end -= m.size()
	}
	return m
}

// forget forgets all up to a number, and calls each for the messages.
func (l *numbered) forget(n uint64, each func(*outbound)) {
	count := l.after(n)
	if count == 0 {
		return
	}
	l.gone = l.list[count-1].n
	for i := range count {
		each(l.list[i].m)
		l.list[i] = logged{}
	}
	if l.list = l.list[count:]; len(l.list) == 0 {
		l.list = nil // an idle room holds nothing
	}
}

// after returns the place of the first message behind a number.
func (l *numbered) after(n uint64) int {
	return sort.Search(len(l.list), func(i int) bool { return l.list[i].n > n })
}

// between returns how much stands behind a number, up to another.
func (l *numbered) between(n, last uint64) (bytes int64, count int) {
	return l.endAt(last) - l.endAt(n), l.after(last) - l.after(n)
}

// endAt returns the bytes of all messages up to a number, since the list was empty.
func (l *numbered) endAt(n uint64) int64 {
	switch i := l.after(n); {
	case i > 0:
		return l.list[i-1].end
	case len(l.list) > 0:
		return l.list[0].end - l.list[0].m.size()
	}
	return 0
}

// hasMore reports whether more than words stands behind a number, up to another.
func (l *numbered) hasMore(n, last uint64) bool {
	for _, e := range l.list[l.after(n):l.after(last)] {
		if !isWord(e.m) {
			return true
		}
	}
	return false
}
