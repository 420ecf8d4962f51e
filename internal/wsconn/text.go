package wsconn

import "unicode/utf8"

// Text is UTF-8 checked piece by piece (RFC 6455 §8.1). A character may be
// cut anywhere.
type Text struct {
	On   bool // else anything is accepted
	rest [utf8.UTFMax]byte
	n    int // bytes of rest
}

// Write takes the next piece and reports whether all of it can be UTF-8.
func (t *Text) Write(p []byte) bool {
	if !t.On {
		return true
	}
	for t.n > 0 && len(p) > 0 {
		t.rest[t.n] = p[0]
		t.n++
		p = p[1:]
		switch head := t.rest[:t.n]; {
		case utf8.FullRune(head):
			if r, size := utf8.DecodeRune(head); r == utf8.RuneError && size == 1 {
				return false
			}
			t.n = 0
		case t.n == len(t.rest):
			return false
		}
	}
	tail := len(p)
	for back := 1; back < utf8.UTFMax && back <= len(p); back++ {
		if utf8.RuneStart(p[len(p)-back]) {
			if !utf8.FullRune(p[len(p)-back:]) {
				tail = len(p) - back
			}
			break
		}
	}
	if !utf8.Valid(p[:tail]) {
		return false
	}
	t.n += copy(t.rest[t.n:], p[tail:])
	return true
}

// End reports whether the message ended between two characters.
func (t *Text) End() bool { return t.n == 0 }
