package standin

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// The endpoints below are what a plugin might add.

// ping needs no permission: the Cat lets anybody in.
func (c *Cat) ping(e *exchange) { e.json(http.StatusOK, object{{"ping", "pong"}}) }

// whoami says who the Cat believes is there.
func (c *Cat) whoami(e *exchange) {
	e.json(http.StatusOK, object{{"user_id", e.caller.user}})
}

// rights says what a plugin is told of the person who asks.
func (c *Cat) rights(e *exchange) { e.json(http.StatusOK, e.caller.believed()) }

// believed is a person as plugins see them.
func (w caller) believed() object {
	return object{{"user_id", w.user}, {"permissions", w.permissions}}
}

// echo reads the whole body and says how long it was.
func (c *Cat) echo(e *exchange) {
	n, err := io.Copy(io.Discard, e.r.Body)
	if err != nil {
		e.fault()
		return
	}
	e.json(http.StatusOK, object{{"bytes", n}})
}

// stream sends n events, ms milliseconds apart, each as soon as it is made.
func (c *Cat) stream(e *exchange) {
	n, ok1 := e.queryNumber("n", 3)
	if !ok1 {
		return
	}
	ms, ok2 := e.queryNumber("ms", 20)
	if !ok2 {
		return
	}
	e.crossOrigin()
	e.status = http.StatusOK
	e.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	e.w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(e.w)
	for i := range n {
		if i > 0 {
			t := time.NewTimer(time.Duration(ms) * time.Millisecond)
			select {
			case <-t.C:
			case <-c.stopped:
				t.Stop()
				return
			case <-e.r.Context().Done():
				t.Stop()
				c.mu.Lock()
				c.cut++
				c.mu.Unlock()
				return
			}
		}
		fmt.Fprintf(e.w, "data: {\"n\": %d}\n\n", i)
		flush.Flush()
	}
}

// StreamsCut is how many streams were left by their reader before the end.
func (c *Cat) StreamsCut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}
