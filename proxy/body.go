package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/proxy/refusals"
)

// maxReplay is the size up to which a body is read before it is forwarded, so
// that a request can be sent again when the Cat has closed an idle connection
// without saying so. Larger ones stream through, on a connection of their own.
const maxReplay = 64 << 10

// firstReplay is the room that a body gets before any of it has come, whatever it claims.
const firstReplay = 4 << 10

// minRate is how many bytes of a forwarded body buy it another second of waiting.
const minRate = 512

// requestBody is the client's body: bounded in how long it may stand still, alone
// and in all, from its first byte on, and also where nobody reads it. It remembers
// its own errors, so that they are told from the Cat's.
//
// Its answer waits for nothing of it. Over HTTP/1.1 an answer to a body that has not
// come to its end ends the connection, and is not held up by it.
type requestBody struct {
	io.ReadCloser
	w        http.ResponseWriter
	r        *http.Request
	original io.ReadCloser // as net/http made it
	limited  string        // the field that bounds its size
	idle     time.Duration // how long it may stand still
	unread   time.Duration // how long, once nobody reads it
	rate     time.Duration // bytes that buy it a second more; 0: none do

	// Of who reads, one at a time.
	waited   time.Duration // in all
	received time.Duration // bytes
	extended time.Time     // when the deadline was last moved
	streamed bool          // read by another goroutine than the handler's
	err      error

	whole  atomic.Bool
	closed atomic.Bool
	closes bool // the connection ends with the answer, for no other reason than this body

	mu   sync.Mutex
	over bool // the handler has ended: the deadline is the server's again
}

// receive takes charge of the request's body; nil if it has none. unread is how long
// a body that nobody forwards may take to come.
func receive(w http.ResponseWriter, r *http.Request, unread time.Duration) *requestBody {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	b := &requestBody{ReadCloser: r.Body, original: r.Body, w: w, r: r, idle: unread, unread: unread}
	b.closes = r.ProtoMajor == 1 && w.Header()["Connection"] == nil
	b.settle()
	r.Body = b
	return b
}

// BoundBodies bounds the bodies of requests to a handler that reads none, or a little.
func BoundBodies(next http.Handler, within time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b := receive(w, r, within); b != nil {
			defer b.done()
		}
		next.ServeHTTP(w, r)
	})
}

// Read moves the connection's read deadline ahead of the bytes, at most once a
// second, and takes it off again at the end.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	began := time.Now()
	if began.Sub(b.extended) > time.Second {
		b.extended = began
		b.deadline(began.Add(b.patience()))
	}
	n, err := b.ReadCloser.Read(p)
	b.waited += time.Since(began)
	b.received += time.Duration(n)
	switch err {
	case nil:
	case io.EOF:
		b.deadline(time.Time{})
		b.whole.Store(true)
		if !b.streamed {
			b.settle()
		}
	default:
		b.err = err
	}
	return n, err
}

// patience is how long the next bytes may take.
func (b *requestBody) patience() time.Duration {
	left := b.idle - b.waited
	if b.rate > 0 {
		left += b.received / b.rate * time.Second //nolint:durationcheck // bytes by bytes a second
	}
	return min(b.idle, left)
}

// deadline sets the read deadline while it is the handler's.
func (b *requestBody) deadline(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		_ = http.NewResponseController(b.w).SetReadDeadline(t) // where it can't be set, the server's own limits hold
	}
}

// settle says in the head of the answer whether the connection goes on: only behind a
// body that has come whole.
func (b *requestBody) settle() {
	switch {
	case !b.closes:
	case b.whole.Load():
		delete(b.w.Header(), "Connection")
	default:
		b.w.Header()["Connection"] = []string{"close"}
	}
}

// Close gives the body up. What is left of it is read by net/http, behind the answer.
func (b *requestBody) Close() error {
	b.closed.Store(true)
	if !b.whole.Load() {
		b.deadline(time.Now().Add(b.unread))
	}
	return nil
}

// done gives what is left of the body a last, short time. The handler has ended.
func (b *requestBody) done() {
	if !b.whole.Load() && b.r.ProtoMajor == 1 { // a stream of HTTP/2 ends with its handler
		b.deadline(time.Now().Add(b.unread))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.r.Body = b.original
}

// forwarded bounds the body as one that goes to the Cat. limited is the field that
// the limit is from.
func (b *requestBody) forwarded(limit int64, limited string, idle time.Duration) {
	b.idle, b.rate, b.limited = idle, minRate, limited
	if limit > 0 {
		b.ReadCloser = http.MaxBytesReader(b.w, b.original, limit)
	}
}

// refusal is the answer to a body that could not be read to its end.
func (b *requestBody) refusal() *refusal {
	var tooLarge *http.MaxBytesError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(b.err, &tooLarge):
		return &refusal{
			status: http.StatusRequestEntityTooLarge, code: refusals.BodyTooLarge, public: "The request's body is too large",
			hint: "send less", rule: b.limited, err: b.err,
		}
	case errors.As(b.err, &timeout) && timeout.Timeout():
		return &refusal{
			status: http.StatusRequestTimeout, code: refusals.BodyTimeout, public: "The request's body stood still for too long",
			hint: "send it again", rule: "limits.body_idle", err: b.err,
		}
	}
	return badRequest(refusals.BadRequestBody, errors.New("the request's body is malformed or broke off"))
}

// takeBody says how the body is to be forwarded: replay is the whole of a small one,
// streamed means that it is large or of unknown length.
func (ex *exchange) takeBody() (replay []byte, streamed bool, ref *refusal) {
	if ex.body == nil {
		return nil, false, nil
	}
	length, limit, limited := ex.r.ContentLength, ex.h.o.MaxBody, "limits.body_bytes"
	if ex.decision.Route.Upload {
		limit, limited = ex.h.o.MaxUpload, "limits.upload_bytes"
	}
	ex.body.forwarded(limit, limited, ex.h.o.BodyIdle)
	if limit > 0 && length > limit {
		ex.body.err = &http.MaxBytesError{Limit: limit}
		return nil, false, ex.body.refusal()
	}
	if length < 0 || length > maxReplay {
		ex.body.streamed = true
		return nil, true, nil
	}
	var buf bytes.Buffer
	buf.Grow(int(min(length, firstReplay)) + bytes.MinRead) // it would grow once more to find the end
	if _, err := buf.ReadFrom(ex.body); err != nil {
		return nil, false, ex.body.refusal()
	}
	return buf.Bytes(), false, nil
}
