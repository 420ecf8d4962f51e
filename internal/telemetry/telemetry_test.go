package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy"
	"github.com/catflap/catflap/proxy/chat"
)

// sink is a log file that says what has reached it.
type sink struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *sink) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func record() *proxy.Record {
	return &proxy.Record{
		Outcome: proxy.OutcomeRefused, Status: 403, Code: "permission_denied", Rule: "default", Reason: "needs USERS:LIST", User: "staff:bob",
		Handler: "staff", Carrier: "authorization", Method: "GET", Path: "/users/", Route: "GET /users/", Client: netip.MustParseAddr("192.0.2.1"),
		RequestID: "ABCDEFGHIJKLMNOP", Duration: 1500 * time.Microsecond, Err: errors.New("the cause"),
	}
}

func TestAnAuditLineHoldsTheWholeDecision(t *testing.T) {
	var out bytes.Buffer
	NewAudit(&out, config.Log{Format: "json", Audit: "refusals", Level: "error"}).Exchange(record())
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err, out.String())
	}
	for name, want := range map[string]any{
		"msg": "audit", "event": "refused", "status": 403.0, "code": "permission_denied", "rule": "default", "reason": "needs USERS:LIST",
		"user": "staff:bob", "handler": "staff", "carrier": "authorization", "method": "GET", "path": "/users/", "route": "GET /users/",
		"client": "192.0.2.1", "request_id": "ABCDEFGHIJKLMNOP", "duration_ms": 1.0, "err": "the cause", "groups": 0.0,
	} {
		if line[name] != want {
			t.Errorf("%s: %v, want %v", name, line[name], want)
		}
	}
}

// TestFaultsThatStayAreErrors: somebody has to do something.
func TestFaultsThatStayAreErrors(t *testing.T) {
	for _, stays := range []bool{false, true} {
		var out bytes.Buffer
		r := record()
		r.Outcome, r.Status, r.Stays = proxy.OutcomeFault, 503, stays
		NewAudit(&out, config.Log{Format: "text", Audit: "refusals"}).Exchange(r)
		if strings.Contains(out.String(), "level=ERROR") != stays {
			t.Errorf("stays %v: %s", stays, out.String())
		}
	}
}

// TestGroupsAreCounted: in the lines where their lack is the likely cause.
func TestGroupsAreCounted(t *testing.T) {
	for _, c := range []struct {
		user    string
		outcome proxy.Outcome
		want    bool
	}{
		{"staff:bob", proxy.OutcomeRefused, true}, {"staff:bob", proxy.OutcomeSignedIn, true}, {"", proxy.OutcomeRefused, false},
		{"staff:bob", proxy.OutcomeAllowed, false},
	} {
		var out bytes.Buffer
		r := record()
		r.User, r.Outcome, r.Groups = c.user, c.outcome, 7
		NewAudit(&out, config.Log{Format: "text", Audit: "all"}).Exchange(r)
		if got := strings.Contains(out.String(), "groups=7"); got != c.want {
			t.Errorf("%q, %s: %s", c.user, c.outcome, out.String())
		}
	}
}

func TestWhichExchangesAreAudited(t *testing.T) {
	for _, c := range []struct {
		audit   string
		outcome proxy.Outcome
		want    bool
	}{
		{"refusals", proxy.OutcomeRefused, true}, {"refusals", proxy.OutcomeFault, true}, {"refusals", proxy.OutcomeAllowed, false}, {"refusals", proxy.OutcomePage, false},
		{"all", proxy.OutcomeAllowed, true}, {"all", proxy.OutcomePage, true},
	} {
		var out bytes.Buffer
		r := record()
		r.Outcome = c.outcome
		NewAudit(&out, config.Log{Format: "text", Audit: c.audit}).Exchange(r)
		if got := out.Len() > 0; got != c.want {
			t.Errorf("audit: %s, %s: written %v", c.audit, c.outcome, got)
		}
	}
}

func TestALineStaysOneLine(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		r := record()
		r.Path = "/x\r\n{\"msg\":\"audit\",\"event\":\"allowed\"}\x00\x1b[31m"
		r.Err = errors.New("two\nlines")
		NewAudit(&out, config.Log{Format: format, Audit: "all"}).Exchange(r)
		if n := strings.Count(out.String(), "\n"); n != 1 || strings.ContainsAny(out.String(), "\r\x00\x1b") {
			t.Errorf("%s: %q", format, out.String())
		}
	}
}

func TestSocketLines(t *testing.T) {
	var out bytes.Buffer
	a := NewAudit(&out, config.Log{Format: "json", Audit: "refusals"})
	u := &authhandlers.AuthUserInfo{ID: "staff:bob", Handler: "staff"}
	a.Socket(chat.Event{Kind: chat.EventOpen, User: u, ID: "ID1"})
	a.Socket(chat.Event{Kind: chat.EventClose, User: u, ID: "ID1", Code: 4401, Reason: "token expired"})
	a.Socket(chat.Event{Kind: chat.EventCatLost, User: u, Code: 1011, Reason: "closed by the Cat"})
	before := out.Len()
	a.Socket(chat.Event{Kind: chat.EventAnswer, User: u})
	if out.Len() != before || !strings.Contains(out.String(), `"event":"cat_socket_lost"`) || !strings.Contains(out.String(), `"close_code":1011`) {
		t.Errorf("%s", out.String())
	}
	for _, want := range []string{`"event":"socket_open"`, `"event":"socket_close"`, `"close_code":4401`, `"reason":"token expired"`, `"user":"staff:bob"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in %s", want, out.String())
		}
	}
}

func TestTheWriterGathersAndFlushes(t *testing.T) {
	s := &sink{}
	w := NewWriter(s)
	fmt.Fprintln(w, `{"level":"INFO","msg":"one"}`)
	if s.text() != "" {
		t.Error("a quiet line went out at once")
	}
	fmt.Fprintln(w, `{"level":"ERROR","msg":"two"}`)
	if got := s.text(); strings.Count(got, "\n") != 2 || !strings.HasPrefix(got, `{"level":"INFO"`) {
		t.Errorf("after an error: %q", got)
	}
	fmt.Fprintln(w, `{"level":"INFO","msg":"three"}`)
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(s.text(), "three"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a quiet line never went out")
		}
	}
	fmt.Fprintln(w, `{"level":"INFO","msg":"four"}`)
	if err := w.Flush(); err != nil || !strings.Contains(s.text(), "four") {
		t.Error("the last line was lost")
	}
}

// TestASlowReaderOfTheLogHoldsUpNobody: quiet lines wait in memory, within a bound.
func TestASlowReaderOfTheLogHoldsUpNobody(t *testing.T) {
	read, to := io.Pipe()
	w := NewWriter(to)
	line := strings.Repeat("x", 1023)
	for range flushAt/len(line) + 1 { // the last of these stands in its write
		go fmt.Fprintln(w, line)
	}
	for deadline := time.Now().Add(5 * time.Second); w.out.TryLock(); time.Sleep(time.Millisecond) {
		w.out.Unlock()
		if time.Now().After(deadline) {
			t.Fatal("nobody writes")
		}
	}
	free := make(chan struct{})
	go func() {
		for range (maxWaiting - 2*flushAt) / len(line) {
			fmt.Fprintln(w, line)
		}
		close(free)
	}()
	select {
	case <-free:
	case <-time.After(10 * time.Second):
		t.Error("lines wait for the reader of the log")
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	if err := w.Flush(); err != nil {
		t.Error(err)
	}
	_ = to.Close()
	<-free
}

func TestTheWriterKeepsLinesWhole(t *testing.T) {
	s := &sink{}
	w := NewWriter(s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 2000 {
				fmt.Fprintln(w, strings.Repeat(string(rune('a'+i)), 40))
			}
		})
	}
	wg.Wait()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(s.text()) {
		n++
		if line = strings.TrimSpace(line); len(line) != 40 || strings.Trim(line, line[:1]) != "" {
			t.Fatalf("%q", line)
		}
	}
	if n != 16000 {
		t.Errorf("%d lines", n)
	}
}

func TestMetricsHaveBoundedLabels(t *testing.T) {
	m := NewMetrics("test")
	for i := range 200 {
		r := record()
		r.Status, r.Path, r.User, r.RequestID = 100+i*7, fmt.Sprintf("/%d", i), fmt.Sprintf("u%d", i), fmt.Sprint(i)
		m.Exchange(r)
		m.Socket(chat.Event{Kind: chat.EventClose, Code: 3000 + i*10, User: &authhandlers.AuthUserInfo{}})
	}
	m.HandlerEvents("staff")("cache_hit")
	m.Reloaded(true, 1)
	m.Reloaded(false, 0)
	m.Ready(func() bool { return true })
	out := httptest.NewRecorder()
	m.Handler().ServeHTTP(out, httptest.NewRequest("GET", "/metrics", nil))
	text := out.Body.String()
	for _, want := range []string{
		`catflap_refusals_total{code="permission_denied"} 200`, `catflap_handler_events_total{event="cache_hit",handler="staff"} 1`,
		`catflap_config_last_reload_successful 0`, `catflap_config_reloads_total{result="taken"} 1`, "catflap_ready 1", `catflap_build_info{`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if n := strings.Count(text, "catflap_requests_total{"); n > 6 {
		t.Errorf("%d series of requests", n)
	}
	if n := strings.Count(text, "catflap_sockets_closed_total{"); n > 14 {
		t.Errorf("%d series of closes", n)
	}
	if strings.Contains(text, "u17") || strings.Contains(text, "/17") {
		t.Error("a person or a path is a label")
	}
}

func TestMetricsOfSockets(t *testing.T) {
	m := NewMetrics("test")
	m.Sockets(func() chat.Stats {
		return chat.Stats{Clients: 1, CatOpen: 2, CatLost: 3, Lingering: 4, BytesInQueue: 5}
	})
	u := &authhandlers.AuthUserInfo{ID: "staff:bob"}
	for _, kind := range []chat.EventKind{
		chat.EventOpen, chat.EventCatOpen, chat.EventCatLost, chat.EventCatBack, chat.EventCatEnd, chat.EventAnswer, chat.EventUndelivered,
		chat.EventMissed, chat.EventRefused,
	} {
		m.Socket(chat.Event{Kind: kind, User: u, Duration: 20 * time.Millisecond})
	}
	out := httptest.NewRecorder()
	m.Handler().ServeHTTP(out, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		"catflap_sockets_open 1", `catflap_cat_sockets{state="open"} 2`, `catflap_cat_sockets{state="lost"} 3`,
		`catflap_cat_sockets{state="lingering"} 4`, "catflap_socket_held_bytes 5", `catflap_cat_sockets_total{event="lost"} 1`,
		`catflap_cat_sockets_total{event="reconnected"} 1`, `catflap_socket_answer_seconds_bucket{le="0.025"} 1`,
		`catflap_socket_messages_dropped_total{why="cat_gone"} 1`, `catflap_socket_messages_dropped_total{why="nobody_there"} 1`,
		`catflap_socket_messages_dropped_total{why="too_fast"} 1`,
	} {
		if !strings.Contains(out.Body.String(), want) {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestCountingAnAllowedRequestIsCheap(t *testing.T) {
	m := NewMetrics("test")
	r := record()
	r.Outcome, r.Code = proxy.OutcomeAllowed, ""
	if n := testing.AllocsPerRun(100, func() { m.Exchange(r) }); n > 4 {
		t.Errorf("%v allocations", n)
	}
}

func TestMetricsOfEachCat(t *testing.T) {
	m := NewMetrics("test")
	up := map[string]bool{"cat-0:1865": true, "cat-1:1865": false}
	m.Cats(func() map[string]bool { return up })
	page := func() string {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return w.Body.String()
	}
	for _, line := range []string{`catflap_cat_up{host="cat-0:1865"} 1`, `catflap_cat_up{host="cat-1:1865"} 0`} {
		if !strings.Contains(page(), line) {
			t.Errorf("%s is missing", line)
		}
	}
	if up = nil; strings.Contains(page(), "catflap_cat_up{") {
		t.Error("a Cat that is no more is still told of")
	}
}
