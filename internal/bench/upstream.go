package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	headerBench = "X-Bench"   // marks a load's request for the upstream
	headerSeen  = "User-Seen" // tells back each identity that the upstream was shown

	events      = 100 // of one stream
	eventsEvery = 4 * time.Millisecond
)

// serveUpstream is what stands behind every contender. It refuses strangers as a
// Cat does, so that Catflap takes it for one, and costs as little as it can.
func serveUpstream(address string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/", answerShort)
	mux.HandleFunc("/ws/", echo)
	mux.HandleFunc("/users/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") })
	mux.HandleFunc("/custom/down", sendBody)
	mux.HandleFunc("/custom/up", takeBody)
	mux.HandleFunc("/custom/events", sendEvents)
	mux.HandleFunc("/custom/waiting", sendOneEvent)
	return (&http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}).ListenAndServe()
}

var shortAnswer = []byte(`{"who":"AI","type":"chat","text":"` + strings.Repeat("m", 160) + `"}`)

func answerShort(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" && r.Header.Get(headerBench) == "" {
		http.Error(w, `{"detail":{"error":"Invalid Credentials"}}`, http.StatusForbidden)
		return
	}
	w.Header()[headerSeen] = r.Header["User_id"] // net/http's spelling of each spelling with an underscore
	w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = w.Write(shortAnswer) // a client that has gone needs none
}

func echo(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("token") == "" && r.Header.Get("Authorization") == "" {
		http.Error(w, "", http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		kind, p, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, p) != nil {
			return
		}
	}
}

// piece is so large that the upstream's own system calls matter little.
const piece = 256 << 10

func sendBody(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	block := make([]byte, piece)
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	for ; n > 0; n -= piece {
		if _, err := w.Write(block[:min(n, piece)]); err != nil {
			return
		}
	}
}

func takeBody(w http.ResponseWriter, r *http.Request) {
	n, _ := discard(r.Body)
	fmt.Fprint(w, n)
}

// discard reads in large pieces; io.Discard's own are small.
func discard(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, piece))
}

func sendEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	for range events {
		fmt.Fprintf(w, "data: %d\n\n", time.Now().UnixNano())
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(eventsEvery):
		}
	}
}

// sendOneEvent is a stream in which nothing happens after its first event.
func sendOneEvent(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: hello\n\n") // a client that has gone is noticed below
	if http.NewResponseController(w).Flush() == nil {
		<-r.Context().Done()
	}
}
