package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// plantedAnswer is a whole answer that belongs to no request.
const plantedAnswer = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 17\r\n\r\nanother's history"

// hostileCat is a Cat of raw bytes. What it answers at /custom/poison is the test's;
// every other request is answered with who asks for what.
type hostileCat struct {
	addr string
	mu   sync.Mutex
	// poison answers on the connection, and returns what comes behind the answer, if
	// anything, when the test calls spill.
	poison    func(c net.Conn) (later string)
	spills    []func()
	hold      chan struct{} // if set, honest answers wait until it is closed
	asked     chan string   // the targets of honest requests, as they arrive
	handshake string        // the answer to each
}

func startHostileCat(t testing.TB) *hostileCat {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h := &hostileCat{addr: l.Addr().String(), asked: make(chan string, 1000)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go h.serve(c)
		}
	}()
	return h
}

func (h *hostileCat) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		h.mu.Lock()
		poison, hold := h.poison, h.hold
		h.mu.Unlock()
		if r.Header.Get("Upgrade") != "" {
			_, _ = io.WriteString(c, h.handshake)
			continue
		}
		if r.URL.Path == "/custom/poison" {
			later := poison(c)
			h.mu.Lock()
			h.spills = append(h.spills, func() { _, _ = io.WriteString(c, later) })
			h.mu.Unlock()
			continue
		}
		h.asked <- r.RequestURI
		if hold != nil {
			<-hold
		}
		said := r.Header.Get("User_id") + " asks for " + r.RequestURI
		if r.Method == http.MethodHead {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nx-of: %s\r\ncontent-length: %d\r\n\r\n", said, len(said))
			continue
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nx-of: %s\r\ncontent-length: %d\r\n\r\n%s", said, len(said), said)
	}
}

// spill writes what comes behind the poisoned answers.
func (h *hostileCat) spill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, write := range h.spills {
		write()
	}
	h.spills = nil
}

func (h *hostileCat) set(poison func(net.Conn) string, hold chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.poison, h.hold, h.spills = poison, hold, nil
}

// config is the configuration of a Catflap before it.
func (h *hostileCat) config() config {
	return config{cat: h.addr, catMore: "insecure_open_cat: true\nanswer_headers: [X-Of, X-Total-Count]", permissions: "everyone: [base, admin]"}
}

// own asks as the person and holds the answer to be the person's own.
func own(t testing.TB, f *flap, subject, method, target string) {
	t.Helper()
	got := exchange(t, f.addr, method, request(method+" "+target, f.addr, staff.token(subject), ""))
	want := idOf(subject) + " asks for " + target
	if method == "HEAD" {
		got.body = []byte(got.header.Get("X-Of"))
	}
	if got.status != 200 || string(got.body) != want {
		t.Errorf("%s %s of %s was answered %d %q", method, target, subject, got.status, clip(got.body, 300))
	}
}

// poisons are the ways in which more than one answer lies behind one request. What
// is written at once stands before the bar, what follows behind it.
func poisons() map[string]string {
	long := "HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n" + strings.Repeat("x", 20000)
	short := "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
	return map[string]string{
		"in the same write":                  short + plantedAnswer + "|",
		"later":                              short + "|" + plantedAnswer,
		"behind a long one, in the same":     long + plantedAnswer + "|",
		"behind a long one":                  long + "|" + plantedAnswer,
		"many":                               long + strings.Repeat(plantedAnswer, 50) + "|" + strings.Repeat(plantedAnswer, 50),
		"a 304 with a body":                  "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n|" + plantedAnswer,
		"a 204 with a body":                  "HTTP/1.1 204 No Content\r\n\r\n|" + plantedAnswer,
		"a 304 with a body at once":          "HTTP/1.1 304 Not Modified\r\n\r\n" + plantedAnswer + "|",
		"an informative one with a body":     "HTTP/1.1 103 Early Hints\r\ncontent-length: 90\r\n\r\n" + short + "|" + plantedAnswer,
		"chunks":                             "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n|" + plantedAnswer,
		"two lengths":                        "HTTP/1.1 200 OK\r\ncontent-length: 400\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n|" + plantedAnswer,
		"a balancer's word on an idle one":   short + "|HTTP/1.1 408 Request Time-out\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
		"half of an answer":                  short + "|" + plantedAnswer[:30],
		"an answer to HEAD that has a body":  "HTTP/1.1 200 OK\r\n\r\n|" + plantedAnswer,
		"an empty answer, and then another":  "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n|" + plantedAnswer,
		"an answer that has no body as such": "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n|" + plantedAnswer,
	}
}

func split(poison string) func(net.Conn) string {
	now, later, _ := strings.Cut(poison, "|")
	return func(c net.Conn) string {
		_, _ = io.WriteString(c, now)
		return later
	}
}

// trigger has the Cat answer bob in the way of that name.
func trigger(t testing.TB, f *flap, name string) {
	t.Helper()
	method := "GET"
	if strings.Contains(name, "HEAD") {
		method = "HEAD"
	}
	exchange(t, f.addr, method, request(method+" /custom/poison", f.addr, staff.token("bob"), ""))
}

// TestNobodyGetsAnothersAnswer: a Cat answers one person twice, in each way; everybody
// else goes on to get their own answers, and so does that person.
func TestNobodyGetsAnothersAnswer(t *testing.T) {
	t.Parallel()
	cat := startHostileCat(t)
	f := start(t, cat.config())
	for name, poison := range poisons() {
		t.Run(name, func(t *testing.T) {
			cat.set(split(poison), nil)
			for range 3 {
				trigger(t, f, name)
			}
			cat.spill()
			for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"} {
				for _, subject := range []string{"bob", "carol", "dave", "erin"} {
					own(t, f, subject, method, "/memory/conversation_history?of="+subject)
				}
			}
		})
	}
}

// TestNobodyGetsAnAnswerThatCameLate: the second answer comes while other people's
// requests are under way on whatever connections were kept.
func TestNobodyGetsAnAnswerThatCameLate(t *testing.T) {
	t.Parallel()
	cat := startHostileCat(t)
	f := start(t, cat.config())
	for round := range 5 {
		hold := make(chan struct{})
		cat.set(split("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok|"+plantedAnswer), hold)
		exchange(t, f.addr, "GET", request("GET /custom/poison", f.addr, staff.token("bob"), ""))
		var people sync.WaitGroup
		const others = 6
		for i := range others {
			people.Go(func() {
				subject := fmt.Sprintf("person-%d", i)
				own(t, f, subject, []string{"GET", "POST"}[i%2], fmt.Sprintf("/memory/conversation_history?round=%d&of=%s", round, subject))
			})
		}
		for range others {
			select {
			case <-cat.asked:
			case <-time.After(patience):
				t.Error("a request did not reach the Cat")
			}
		}
		cat.spill()
		close(hold)
		people.Wait()
	}
}

// TestNobodyGetsAnothersAnswerFromAFleet: the same by way of two Catflaps of one
// Redis, before one Cat.
func TestNobodyGetsAnothersAnswerFromAFleet(t *testing.T) {
	t.Parallel()
	cat := startHostileCat(t)
	couple := startCoupleOf(t, cat.config())
	for name, poison := range poisons() {
		cat.set(split(poison), nil)
		for _, f := range []*flap{couple.a, couple.b, couple.a} {
			trigger(t, f, name)
		}
		cat.spill()
		t.Run(name, func(t *testing.T) {
			for _, subject := range []string{"carol", "bob", "dave"} {
				for _, f := range []*flap{couple.b, couple.a} {
					own(t, f, subject, "GET", "/memory/conversation_history?of="+subject)
					own(t, f, subject, "DELETE", "/memory/conversation_history?of="+subject)
				}
			}
		})
	}
}

// TestTheRealServersAnswers: an endpoint of a plugin passes on a 304 or a 204 that has
// a body, as the Cat's own server lets it; the next people get their own answers.
func TestTheRealServersAnswers(t *testing.T) {
	t.Parallel()
	cat := startStack(t)
	f := start(t, config{cat: cat.addr, catMore: "insecure_open_cat: true", permissions: "everyone: [base, admin]"})
	for _, status := range []string{"304", "204"} {
		for i := range 20 {
			exchange(t, f.addr, "GET", request("GET /custom/passed-on/"+status, f.addr, staff.token("bob"), ""))
			for _, subject := range []string{"carol", "bob"} {
				got := exchange(t, f.addr, "GET", request("GET /memory/conversation_history", f.addr, staff.token(subject), ""))
				if got.status != 200 || !strings.Contains(string(got.body), "conversation_history") {
					t.Fatalf("after %s, round %d: %s was answered %d %q", status, i, subject, got.status, clip(got.body, 200))
				}
			}
		}
	}
}

// TestHandshakesOfTheCat: an answer to a handshake at the Cat that is none, whatever
// lies behind it, opens no socket and is nobody else's.
func TestHandshakesOfTheCat(t *testing.T) {
	t.Parallel()
	frame := string([]byte{0x81, 9}) + "another's"
	upgrade := "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	for name, answer := range map[string]string{
		"a refusal with frames behind it": "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n" + frame,
		"a refusal with a second answer":  "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n" + upgrade + frame,
		"an informative one before":       "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + upgrade + frame,
		"another's acceptance":            upgrade + frame,
		"a 200 with frames behind it":     "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" + frame,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cat := startHostileCat(t)
			cat.handshake = answer
			f := start(t, cat.config())
			for _, subject := range []string{"bob", "carol"} {
				l := dial(t, f.addr)
				l.send("GET /ws HTTP/1.1\r\nHost: " + f.addr + "\r\nAuthorization: Bearer " + staff.token(subject) + "\r\n" + upgradeLines + "\r\n")
				got, err := l.receive("GET")
				if err != nil || got.status != 502 {
					t.Errorf("%s: %d, %v", subject, got.status, err)
				}
				if strings.Contains(l.all.String(), "another's") {
					t.Errorf("%s heard %q", subject, l.all.String())
				}
				own(t, f, subject, "GET", "/memory/conversation_history?of="+subject)
			}
		})
	}
}
