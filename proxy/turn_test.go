package proxy

import (
	"context"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/refusals"
)

// TestATurnOverHTTPWaits for its place at the Cat, and is told when it has waited in
// vain. Nothing else waits.
func TestATurnOverHTTPWaits(t *testing.T) {
	l := newLab(t, func(o *Options) {
		o.Hub = chat.NewHub(chat.Options{Settings: chat.Settings{Mode: chat.Shared, MaxTurns: 1, DeliverWithin: time.Second}})
		t.Cleanup(func() { _ = o.Hub.Shutdown(context.Background()) })
	})
	leave, err := l.handler.o.Hub.Turn(t.Context(), "staff:somebody")
	if err != nil {
		t.Fatal(err)
	}
	status := func(method, path string) int {
		resp, _ := l.send(t, l.request(t, method, path, "alice", "{}"))
		return resp.StatusCode
	}
	if got := status("POST", "/message"); got != 503 {
		t.Errorf("a turn while another is under way: %d", got)
	}
	if r := l.record(t, 1); r.Code != refusals.Busy || r.Rule != "cat.max_turns" {
		t.Errorf("%+v", r)
	}
	if got := status("GET", "/memory/conversation_history"); got != 200 {
		t.Errorf("what is no turn: %d", got)
	}
	leave()
	for range 3 { // each gives its place back
		if got := status("POST", "/message"); got != 200 {
			t.Errorf("a turn with a free place: %d", got)
		}
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // it is given back behind the answer
		if s := l.handler.o.Hub.Stats(); s.TurnsAtCat == 0 && s.TurnsWaiting == 0 {
			return
		} else if time.Now().After(end) {
			t.Fatalf("%+v", s)
		}
	}
}
