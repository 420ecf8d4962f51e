package app

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// newStreams serves HTTP/2, and tells how each write of a handler ended.
func newStreams(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(boundStreams(h, time.Second))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, s *httptest.Server) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.ProtoMajor != 2 {
		t.Fatal(resp.Proto)
	}
	return resp
}

// TestAStreamThatNobodyReadsIsCut, while others of its connection go on.
func TestAStreamThatNobodyReadsIsCut(t *testing.T) {
	wrote := make(chan error, 1)
	s := newStreams(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			return
		}
		_, err := io.Copy(w, io.LimitReader(zeros{}, 64<<20))
		wrote <- err
	})
	resp := get(t, s)
	defer resp.Body.Close()
	select {
	case err := <-wrote:
		if err == nil {
			t.Error("64 MiB were taken by nobody")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("an answer that nobody reads is never cut")
	}
	if resp, err := s.Client().Post(s.URL, "text/plain", nil); err != nil {
		t.Errorf("another stream: %v", err)
	} else {
		_ = resp.Body.Close()
	}
}

// TestASlowReaderOfAStreamLives, for longer than a write may stand.
func TestASlowReaderOfAStreamLives(t *testing.T) {
	const size = 8 << 20 // the client takes 4 MiB without a word
	s := newStreams(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, io.LimitReader(zeros{}, size)) })
	resp := get(t, s)
	defer resp.Body.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	got, b := 0, make([]byte, 48<<10)
	for {
		n, err := io.ReadFull(resp.Body, b)
		got += n
		if err != nil {
			break
		}
		<-tick.C
	}
	if got != size {
		t.Errorf("%d of %d bytes came", got, size)
	}
}

// TestASilentStreamLives: nothing is written, so nothing stands.
func TestASilentStreamLives(t *testing.T) {
	s := newStreams(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			if _, err := io.WriteString(w, "data: x\n\n"); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			<-time.After(2 * time.Second) // twice as long as a write may stand
		}
	})
	resp := get(t, s)
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "data: x\n\ndata: x\n\ndata: x\n\n" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestAStreamWithoutAWindowIsCut: also an answer that is small enough to be written
// only behind its handler.
func TestAStreamWithoutAWindowIsCut(t *testing.T) {
	s := newStreams(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "refused") })
	conn, err := tls.Dial("tcp", s.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	// RFC 9113 §3.4 and §6: the preface, SETTINGS_INITIAL_WINDOW_SIZE of 0, and GET / of
	// host x on stream 1, compressed by RFC 7541.
	const hello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
		"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + "\x00\x04\x00\x00\x00\x00" +
		"\x00\x00\x06\x01\x05\x00\x00\x00\x01" + "\x82\x87\x84\x41\x01x"
	if _, err := io.WriteString(conn, hello); err != nil {
		t.Fatal(err)
	}
	const reset = 3
	for head := make([]byte, 9); head[3] != reset; {
		if _, err := io.ReadFull(conn, head); err != nil {
			t.Fatalf("the stream is held: %v", err)
		}
		length := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, conn, length); err != nil {
			t.Fatal(err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
