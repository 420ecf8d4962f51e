package attributes

import (
	"errors"
	"io"
)

// piece is how much is read at once.
const piece = 8 << 10

// Reader is Rewrite for a message that streams through. It holds a piece of it and the
// token.
type Reader struct {
	from io.Reader
	r    rewriter
	in   []byte
	out  []byte // what is ready
	buf  []byte
	err  error
}

// NewReader returns what from yields, with the token in it.
func NewReader(from io.Reader, token string) *Reader {
	return &Reader{from: from, r: newRewriter(token), in: make([]byte, piece)}
}

// Read implements io.Reader. Its error is that of from, or ErrNotObject.
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		n, err := r.from.Read(r.in)
		out, failed := r.r.write(r.buf[:0], r.in[:n])
		r.buf, r.out = out, out
		switch {
		case failed != nil:
			r.err, r.out = failed, nil
		case errors.Is(err, io.EOF) && !r.r.isWhole():
			r.err = ErrNotObject
		case errors.Is(err, io.EOF):
			r.out = r.r.end(out)
			r.buf, r.err = r.out, err
		default:
			r.err = err
		}
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// Err is what has ended the reading, if it was neither the end nor an error of from.
func (r *Reader) Err() error {
	if errors.Is(r.err, ErrNotObject) {
		return r.err
	}
	return nil
}
