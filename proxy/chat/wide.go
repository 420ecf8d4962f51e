package chat

import "bytes"

// wide makes UTF-16 and UTF-32, which JSON readers take too, readable as bytes: a unit
// beyond ASCII becomes a byte that stands for nothing.
type wide struct {
	known bool
	size  int // bytes of a unit; 1 leaves all as it is
	low   int // the place of the low byte
	rest  []byte
	head  []byte // what has come before four bytes are known
}

// narrow returns a piece in bytes. The first few may come with the next.
func (w *wide) narrow(p []byte) []byte {
	if !w.known {
		if len(w.head) > 0 || len(p) < 4 {
			w.head = append(w.head, p...)
			p = w.head
		}
		if len(p) == 0 {
			return nil
		}
		w.guess(p)
		if w.known = len(p) >= 4 || w.size == 1 && p[0] != 0; !w.known {
			return nil
		}
	}
	if w.size == 1 {
		return p
	}
	if len(w.rest) > 0 {
		p = append(w.rest, p...)
	}
	whole := len(p) - len(p)%w.size
	out := make([]byte, 0, whole/w.size)
	for i := 0; i < whole; i += w.size {
		unit := p[i : i+w.size]
		if c := unit[w.low]; len(bytes.Trim(unit, "\x00")) > 1 || c == 0 || c > 0x7f {
			out = append(out, 0xff)
		} else {
			out = append(out, c)
		}
	}
	w.rest = bytes.Clone(p[whole:])
	return out
}

// guess finds the size of a unit out, as json.detect_encoding of Python does.
func (w *wide) guess(p []byte) {
	var b [4]byte
	copy(b[:], p)
	w.size = 1
	switch {
	case b[0] == 0xff && b[1] == 0xfe && b[2] == 0 && b[3] == 0, b[0] != 0 && b[1] == 0 && b[2] == 0:
		w.size, w.low = 4, 0
	case b[0] == 0 && b[1] == 0:
		w.size, w.low = 4, 3
	case b[0] == 0xff && b[1] == 0xfe, b[0] != 0 && b[1] == 0:
		w.size, w.low = 2, 0
	case b[0] == 0xfe && b[1] == 0xff, b[0] == 0:
		w.size, w.low = 2, 1
	}
}
