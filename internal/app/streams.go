package app

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// boundStreams cuts an HTTP/2 stream whose client takes no more of its answer,
// which its connection, shared with other streams, can't see.
func boundStreams(next http.Handler, idle time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			next.ServeHTTP(w, r)
			return
		}
		s := &stream{ResponseWriter: w, control: http.NewResponseController(w), idle: idle}
		defer s.end()
		next.ServeHTTP(s, r)
	})
}

// stream is the answer of one HTTP/2 stream. A deadline of the library's fires also
// while nothing is written; so a write in progress is looked at instead.
type stream struct {
	http.ResponseWriter
	control *http.ResponseController
	idle    time.Duration
	wrote   int // bytes so far
	watched bool
	slow    bool         // the client takes its time
	since   atomic.Int64 // when the write that stands began, in Unix nanoseconds; 0: none does

	mu    sync.Mutex
	watch *time.Timer // looks at writes; nil before one that may stand
	ended bool
}

const (
	// unwatched is what the library buffers of an answer before it writes.
	unwatched = 4 << 10
	// slowPiece is what a slow client is given at a time: it lives as long as it takes that much in time.
	slowPiece = 1 << 10
)

func (s *stream) Write(p []byte) (n int, err error) {
	if s.wrote += len(p); s.wrote <= unwatched {
		return s.ResponseWriter.Write(p)
	}
	defer s.since.Store(0)
	for err == nil && n < len(p) {
		piece := p[n:]
		if s.slow {
			piece = piece[:min(slowPiece, len(piece))]
		}
		began := s.begin()
		var m int
		m, err = s.ResponseWriter.Write(piece)
		n += m
		s.slow = s.slow || time.Since(began) > s.slice()/4
	}
	return n, err
}

// FlushError is for http.ResponseController.
func (s *stream) FlushError() error {
	s.begin()
	defer s.since.Store(0)
	return s.control.Flush()
}

// Flush is FlushError, for who asks for an http.Flusher.
func (s *stream) Flush() { _ = s.FlushError() }

// Unwrap is for http.ResponseController.
func (s *stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// begin notes that a write begins. One goroutine writes.
func (s *stream) begin() time.Time {
	now := time.Now()
	s.since.Store(now.UnixNano())
	if !s.watched {
		s.watched = true
		s.mu.Lock()
		s.watch = time.AfterFunc(s.slice(), s.look)
		s.mu.Unlock()
	}
	return now
}

// slice is how often writes are looked at.
func (s *stream) slice() time.Duration { return s.idle / 2 }

// look cuts the stream if a write stands for too long.
func (s *stream) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if since := s.since.Load(); since != 0 && time.Now().UnixNano()-since >= int64(s.slice()) {
		_ = s.control.SetWriteDeadline(time.Now().Add(-time.Second)) // which resets the stream
		return
	}
	s.watch.Reset(s.slice())
}

// end bounds what the library still writes behind the handler.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.watch != nil {
		s.watch.Stop()
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(s.idle)) // an HTTP/2 stream takes deadlines
}
