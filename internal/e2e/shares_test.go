package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAPersonsRequestsAreBounded: two hundred at once are one person's, and everybody
// else is served beside them.
func TestAPersonsRequestsAreBounded(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, limits: "requests_per_person: 20"})
	stream := request("GET /custom/stream?n=1000&ms=1000", f.addr, root(), "")
	var mu sync.Mutex
	var open, refused int
	var wg sync.WaitGroup
	for i := range 200 {
		l := dialQuietly(t, f.addr)
		t.Cleanup(l.close)
		wg.Go(func() {
			l.send(stream)
			_ = l.conn.SetReadDeadline(time.Now().Add(3 * patience))
			status, err := l.r.ReadString('\n')
			mu.Lock()
			defer mu.Unlock()
			switch {
			case strings.Contains(status, " 200 "):
				open++
			case strings.Contains(status, " 429 "):
				refused++
			default:
				t.Errorf("stream %d: %q %v", i, status, err)
			}
		})
	}
	wg.Wait()
	if open != 20 || refused != 180 {
		t.Errorf("%d are open, %d were refused", open, refused)
	}
	a := exchange(t, f.addr, "POST", message(f.addr, root()))
	a.refusal(t, 429)
	if a.header.Get("Retry-After") == "" || !strings.Contains(string(a.body), "too_many_requests") {
		t.Errorf("%v %s", a.header, a.body)
	}
	if got := asked(t, f, alice()); got != 200 {
		t.Errorf("another person is answered %d", got)
	}
	if got := exchange(t, f.addr, "POST", message(f.addr, "")).status; got != 401 {
		t.Errorf("a stranger at the same address is answered %d", got)
	}
	expectTurn(t, mustChat(t, f, root()), "sockets are not among them", idOf("root"))
}

// TestThirtyAssetsPass: a page that loads all that it has at once is no attack.
func TestThirtyAssetsPass(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			if got := exchange(t, f.addr, "GET", request("GET /custom/ping", f.addr, root(), "")).status; got != 200 {
				t.Errorf("answered %d", got)
			}
		})
	}
	wg.Wait()
}

// TestAnAnswerThatNobodyReadsIsCut: it holds the Cat's connection and a person's place
// for seconds. One that is read slowly, and a stream in which nothing happens, stay.
func TestAnAnswerThatNobodyReadsIsCut(t *testing.T) {
	t.Parallel()
	large := serveLarge(t)
	f := start(t, config{cat: large, limits: "write_idle: 2s\nrequests_per_person: 3"})
	open := func(what, token string) net.Conn {
		c := from(t, "127.0.0.4", f.addr, request("GET "+what, f.addr, token, ""))
		_ = c.(*net.TCPConn).SetReadBuffer(16 << 10)
		return c
	}
	for range 3 {
		open("/custom/large", root())
	}
	silent := open("/custom/silent", staff.token("silent", "cat-admins"))
	f.await("serving the person again", func() bool {
		return exchange(t, f.addr, "GET", request("GET /custom/ping", f.addr, root(), "")).status == 200
	})
	slow := open("/custom/large", staff.token("slow", "cat-admins"))
	b := make([]byte, 64<<10)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 100 { // five seconds, 1.3 MB each: more than two bounds
		<-tick.C
		_ = slow.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadFull(slow, b); err != nil {
			t.Fatalf("an answer that is read slowly was cut: %v", err)
		}
	}
	_ = silent.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, 4096)
	n, err := 0, error(nil)
	for err == nil && !strings.Contains(string(got[:n]), "data: late") {
		var more int
		more, err = silent.Read(got[n:])
		n += more
	}
	if err != nil {
		t.Errorf("a silent stream ended: %q, %v", got[:n], err)
	}
}

// serveLarge is a Cat with one plugin: an answer of any size, and a stream that says
// one word and, long after, another.
func serveLarge(t testing.TB) string {
	t.Helper()
	to, err := url.Parse("http://" + startCat(t).tap.addr)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	mux.HandleFunc("GET /custom/large", func(w http.ResponseWriter, _ *http.Request) {
		piece := make([]byte, 64<<10)
		for range 1 << 14 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("GET /custom/silent", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: early\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(6 * time.Second):
		case <-r.Context().Done():
		}
		fmt.Fprint(w, "data: late\n\n")
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}
