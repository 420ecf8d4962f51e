package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxReplay is the size up to which a body is read before it is forwarded, so
// that a request can be sent again when the Cat has closed an idle connection
// without saying so. Larger ones stream through, on a connection of their own.
const maxReplay = 64 << 10

// firstReplay is the room that a body gets before any of it has come, whatever it claims.
const firstReplay = 4 << 10

// requestBody is the client's body: bounded in size and in how long it may stand
// still. It remembers its own errors, so that they are told from the Cat's.
type requestBody struct {
	io.ReadCloser
	control  *http.ResponseController
	idle     time.Duration
	extended time.Time // when the deadline was last moved
	err      error
}

func newRequestBody(w http.ResponseWriter, r *http.Request, limit int64, idle time.Duration) *requestBody {
	b := &requestBody{ReadCloser: r.Body, control: http.NewResponseController(w), idle: idle}
	if limit > 0 {
		b.ReadCloser = http.MaxBytesReader(w, r.Body, limit)
	}
	return b
}

// Read moves the connection's read deadline ahead of the bytes, at most once a
// second, and takes it off again at the end.
func (b *requestBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.extended) > time.Second {
		b.extended = now
		_ = b.control.SetReadDeadline(now.Add(b.idle)) // where it can't be set, the server's own limits hold
	}
	n, err := b.ReadCloser.Read(p)
	switch err {
	case nil:
	case io.EOF:
		_ = b.control.SetReadDeadline(time.Time{})
	default:
		b.err = err
	}
	return n, err
}

// refusal is the answer to a body that could not be read to its end.
func (b *requestBody) refusal() *refusal {
	var tooLarge *http.MaxBytesError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(b.err, &tooLarge):
		return &refusal{
			status: http.StatusRequestEntityTooLarge, code: codeBodyTooLarge, public: "The request's body is too large",
			hint: "send less", rule: "limits.body_bytes", err: b.err,
		}
	case errors.As(b.err, &timeout) && timeout.Timeout():
		return &refusal{
			status: http.StatusRequestTimeout, code: codeBodyTimeout, public: "The request's body stood still for too long",
			hint: "send it again", rule: "limits.body_idle", err: b.err,
		}
	}
	return badRequest(codeBadBody, errors.New("the request's body is malformed or broke off"))
}

// takeBody wraps the body and says how it is to be forwarded: replay is the whole
// of a small one, streamed means that it is large or of unknown length.
func (ex *exchange) takeBody() (replay []byte, streamed bool, ref *refusal) {
	r := ex.r
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil, false, nil
	}
	if limit := ex.h.o.MaxBody; limit > 0 && r.ContentLength > limit {
		return nil, false, (&requestBody{err: &http.MaxBytesError{Limit: limit}}).refusal()
	}
	ex.body = newRequestBody(ex.w, r, ex.h.o.MaxBody, ex.h.o.BodyIdle)
	if r.ContentLength < 0 || r.ContentLength > maxReplay {
		return nil, true, nil
	}
	var buf bytes.Buffer
	buf.Grow(int(min(r.ContentLength, firstReplay)) + bytes.MinRead) // it would grow once more to find the end
	if _, err := buf.ReadFrom(ex.body); err != nil {
		return nil, false, ex.body.refusal()
	}
	return buf.Bytes(), false, nil
}
