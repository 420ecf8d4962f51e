package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/upstream"
)

// anybody is a handler whose tokens are names.
type anybody struct{}

func (anybody) Authenticate(_ context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if !r.Credential.Bearer() {
		return nil, authhandlers.ErrNoCredential
	}
	return &authhandlers.AuthUserInfo{Issuer: "https://idp.example", Subject: r.Credential.Value}, nil
}

// catsLab is a lab in front of three Cats. Nobody looks at them by a clock: the
// test says when, and how late it is.
type catsLab struct {
	*lab
	cats    *upstream.Pool
	clients []*upstream.Client
	running []*standin.Running
	keys    []string // CCAT_API_KEY of each
	ahead   atomic.Int64
}

func newCatsLab(t *testing.T, failover bool, probed bool, keys ...string) *catsLab {
	t.Helper()
	l := &catsLab{keys: keys}
	if keys == nil {
		l.keys = []string{labKey, labKey, labKey}
	}
	var members []upstream.Member
	log := slog.New(slog.DiscardHandler)
	for i := range l.keys {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.running = append(l.running, l.serve(i, ln))
		base, err := url.Parse(l.running[i].URL)
		if err != nil {
			t.Fatal(err)
		}
		var probe *cat.Probe
		if probed {
			probe = &cat.Probe{Base: base, HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Now: time.Now}
		}
		members = append(members, upstream.Member{
			Client: upstream.NewClient(upstream.ClientOptions{
				Base: base, ConnectTimeout: time.Second, ResponseTimeout: time.Second, Watched: true, Log: log,
				Now: func() time.Time { return time.Now().Add(time.Duration(l.ahead.Load())) },
			}), Guard: cat.NewGuard(probe, log),
		})
		l.clients = append(l.clients, members[i].Client)
		t.Cleanup(members[i].Client.Close)
	}
	t.Cleanup(func() {
		for _, r := range l.running {
			_ = r.Close()
		}
	})
	var err error
	if l.cats, err = upstream.New(members, failover); err != nil {
		t.Fatal(err)
	}
	chain, err := authhandlers.NewChain(time.Now, authhandlers.Link{Name: "staff", Alias: "staff", Handler: anybody{}})
	if err != nil {
		t.Fatal(err)
	}
	l.lab = newLab(t, func(o *Options) { o.Chain, o.Cats = chain, l.cats })
	return l
}

func (l *catsLab) serve(i int, ln net.Listener) *standin.Running {
	return standin.New(standin.Options{
		APIKey: l.keys[i], APIKeyWS: "the-cats-ws-key", JWTSecret: "long and random",
		Reply: func(user, _ string) string { return fmt.Sprintf("cat %d to %s", i, user) },
	}).Start(ln)
}

// person is the name of somebody who belongs to a Cat; n makes them different.
func (l *catsLab) person(t *testing.T, i, n int) string {
	t.Helper()
	for k := range 10000 {
		name := fmt.Sprintf("person-%d", k)
		if l.cats.Home("staff:"+name) == l.clients[i] {
			if n--; n < 0 {
				return name
			}
		}
	}
	t.Fatal("nobody belongs to this Cat")
	return ""
}

// says is the status of a message, and the Cat that answered; -1 for none.
func (l *catsLab) says(t *testing.T, name string) (status, by int) {
	t.Helper()
	status, body := l.do(t, "POST", "/message", name, `{"text":"hi"}`)
	return status, answeredBy(body, name)
}

func answeredBy(body, name string) int {
	for i := range 3 {
		if strings.Contains(body, fmt.Sprintf("cat %d to staff:%s", i, name)) {
			return i
		}
	}
	return -1
}

func (l *catsLab) chat(t *testing.T, name string) *websocket.Conn {
	t.Helper()
	c, _, err := l.dial("/ws?token="+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (l *catsLab) chatsWith(t *testing.T, c *websocket.Conn, name string) int {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"text":"hi"}`)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		_, p, err := c.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var m struct{ Type string }
		if err := json.Unmarshal(p, &m); err != nil {
			t.Fatal(err)
		}
		if m.Type == "chat" {
			return answeredBy(string(p), name)
		}
	}
}

// kill ends a Cat, and has Catflap find out by its people's requests.
func (l *catsLab) kill(t *testing.T, i int) {
	t.Helper()
	_ = l.running[i].Close()
	name := l.person(t, i, 9)
	for range upstream.DownAfter {
		if status, _ := l.says(t, name); status != http.StatusBadGateway {
			t.Fatalf("status %d from a Cat that nobody knows to be down", status)
		}
	}
}

// revive starts a Cat again and looks at it as often as it needs.
func (l *catsLab) revive(t *testing.T, i int) {
	t.Helper()
	ln, err := net.Listen("tcp", strings.TrimPrefix(l.running[i].URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	l.running[i] = l.serve(i, ln)
	u := l.clients[i]
	for range upstream.UpAfter {
		u.Check(t.Context())
	}
}

func (l *catsLab) expect(t *testing.T, name string, status, by int) {
	t.Helper()
	if s, b := l.says(t, name); s != status || b != by {
		t.Errorf("%s was answered %d by %d, want %d by %d", name, s, b, status, by)
	}
}

// TestEachPersonHasOneCat: over HTTP and WebSocket alike, whatever the request.
func TestEachPersonHasOneCat(t *testing.T) {
	l := newCatsLab(t, false, false)
	for i := range 3 {
		for n := range 4 {
			name := l.person(t, i, n)
			l.expect(t, name, 200, i)
			if by := l.chatsWith(t, l.chat(t, name), name); by != i {
				t.Errorf("%s chats with %d, want %d", name, by, i)
			}
			l.expect(t, name, 200, i)
		}
	}
	for i, r := range l.running {
		for _, seen := range r.Requests() {
			if host := strings.TrimPrefix(r.URL, "http://"); seen.Host != host {
				t.Errorf("Cat %d was called %s", i, seen.Host)
			}
		}
	}
	if got, want := l.record(t, 1).Cat, l.clients[0].Name(); got != want {
		t.Errorf("the record names %q, want %q", got, want)
	}
}

// TestWaitingForOnesCat: the others notice nothing.
func TestWaitingForOnesCat(t *testing.T) {
	l := newCatsLab(t, false, false)
	l.kill(t, 1)
	resp, body := l.send(t, l.request(t, "POST", "/message", l.person(t, 1, 0), `{"text":"hi"}`))
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, string(refusals.CatDown)) || strings.Contains(body, "127.0.0.1") {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	if _, resp, err := l.dial("/ws?token="+l.person(t, 1, 0), nil); err == nil || resp == nil || resp.StatusCode != 503 {
		t.Errorf("a handshake was answered %v, %v", resp, err)
	}
	l.expect(t, l.person(t, 0, 0), 200, 0)
	l.expect(t, l.person(t, 2, 0), 200, 2)
	if err := l.handler.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
	if notes := l.handler.Notes(); len(notes) != 1 || !strings.Contains(notes[0], l.clients[1].Name()) {
		t.Errorf("notes %q", notes)
	}
	if up := l.cats.Up(); len(up) != 3 || up[l.clients[1].Name()] || !up[l.clients[0].Name()] {
		t.Errorf("up: %v", up)
	}
	l.revive(t, 1)
	l.expect(t, l.person(t, 1, 0), 200, 1)
	if notes := l.handler.Notes(); len(notes) != 0 {
		t.Errorf("notes %q", notes)
	}
}

// TestGoingToTheNextCat: to the same one each time, and back home when that has been
// up for a while.
func TestGoingToTheNextCat(t *testing.T) {
	l := newCatsLab(t, true, false)
	name := l.person(t, 1, 0)
	l.expect(t, name, 200, 1)
	l.kill(t, 1)
	_, next := l.says(t, name)
	if next != 0 && next != 2 {
		t.Fatalf("answered by %d", next)
	}
	l.expect(t, name, 200, next)
	if by := l.chatsWith(t, l.chat(t, l.person(t, 1, 1)), l.person(t, 1, 1)); by != 0 && by != 2 {
		t.Errorf("chats with %d", by)
	}
	for _, i := range []int{0, 2} {
		l.expect(t, l.person(t, i, 0), 200, i)
	}

	l.revive(t, 1)
	l.expect(t, name, 200, next)
	l.kill(t, next) // and home is better than nowhere
	if _, by := l.says(t, name); by == next || by < 0 {
		t.Errorf("answered by %d", by)
	}
	l.ahead.Store(int64(upstream.HomeSettle))
	l.expect(t, name, 200, 1)
}

// TestAnOpenSocketIsNotTornFromItsPerson: who chats at another Cat asks there, too,
// until the socket ends.
func TestAnOpenSocketIsNotTornFromItsPerson(t *testing.T) {
	l := newCatsLab(t, true, false)
	name := l.person(t, 1, 0)
	l.kill(t, 1)
	c := l.chat(t, name)
	next := l.chatsWith(t, c, name)
	l.revive(t, 1)
	l.ahead.Store(int64(upstream.HomeSettle))
	l.expect(t, name, 200, next)
	l.expect(t, l.person(t, 1, 1), 200, 1)
	_ = c.Close()
	for deadline := time.Now().Add(5 * time.Second); l.clients[next].HasSocket("staff:"+name) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	l.expect(t, name, 200, 1)
	if by := l.chatsWith(t, l.chat(t, name), name); by != 1 {
		t.Errorf("chats with %d", by)
	}
}

// TestWhatAClientCausesDoesNotCount: failing turns, answers that take too long, and
// leaving, as often as one likes.
func TestWhatAClientCausesDoesNotCount(t *testing.T) {
	l := newCatsLab(t, true, false)
	name := l.person(t, 0, 0)
	for range 3 * upstream.DownAfter {
		if status, _ := l.do(t, "POST", "/message", name, `{"text":{}}`); status != 500 {
			t.Fatalf("status %d", status)
		}
	}
	for range upstream.DownAfter {
		if status, _ := l.do(t, "POST", "/message", name, `{"text":"sleep 2"}`); status != 504 {
			t.Fatalf("status %d", status)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if resp, err := l.front.Client().Do(l.request(t, "POST", "/message", name, `{"text":"sleep 1"}`).WithContext(ctx)); err == nil {
			_ = resp.Body.Close()
			t.Fatal("answered")
		}
		cancel()
	}
	if n := l.clients[0].Faults(); n != 0 || !l.cats.Up()[l.clients[0].Name()] {
		t.Errorf("%d failures", n)
	}
	l.expect(t, name, 200, 0)
}

// TestNobodysRequestsGoAnywhere: a public endpoint needs no particular Cat.
func TestNobodysRequestsGoAnywhere(t *testing.T) {
	l := newCatsLab(t, false, false)
	for i := range 2 {
		l.kill(t, i)
		if status, _ := l.do(t, "GET", "/custom/public/page", "", ""); status == 502 || status == 503 {
			t.Errorf("status %d with %d Cats left", status, 2-i)
		}
	}
	l.kill(t, 2)
	if status, _ := l.do(t, "GET", "/custom/public/page", "", ""); status != 503 {
		t.Errorf("status %d without a Cat", status)
	}
	if err := l.handler.Ready(t.Context()); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("ready: %v", err)
	}
}

// TestAnOpenCatServesNobody: its people are refused, not led past it, and readiness
// names it.
func TestAnOpenCatServesNobody(t *testing.T) {
	for _, failover := range []bool{false, true} {
		l := newCatsLab(t, failover, true, labKey, "", labKey)
		if status, body := l.do(t, "GET", "/", "anybody", ""); status != 503 || !strings.Contains(body, string(refusals.NotReady)) {
			t.Fatalf("before anybody has looked: %d %s", status, body)
		}
		if err := l.handler.Ready(t.Context()); err == nil {
			t.Error("ready before anybody has looked")
		}
		l.cats.Look(t.Context())
		l.running[1].ForgetRequests()
		status, body := l.do(t, "POST", "/message", l.person(t, 1, 0), `{"text":"hi"}`)
		if status != 503 || !strings.Contains(body, string(refusals.NotReady)) {
			t.Errorf("%d %s", status, body)
		}
		for n := range 20 {
			l.expect(t, l.person(t, 0, n), 200, 0)
		}
		if status, _ := l.do(t, "GET", "/custom/public/page", "", ""); status == 503 {
			t.Error("nobody's request was refused although there are closed Cats")
		}
		if n := len(l.running[1].Requests()); n != 0 {
			t.Errorf("%d requests at the open Cat", n)
		}
		err := l.handler.Ready(t.Context())
		if err == nil || !strings.Contains(err.Error(), "the Cat at "+l.clients[1].Name()+": the Cat is open") {
			t.Errorf("ready: %v", err)
		}
	}
}

// TestOneThatWasNeverReached counts as down: it was not found open.
func TestOneThatWasNeverReached(t *testing.T) {
	l := newCatsLab(t, true, true)
	_ = l.running[2].Close()
	l.cats.Look(t.Context())
	if status, by := l.says(t, l.person(t, 2, 0)); status != 200 || by == 2 {
		t.Errorf("answered %d by %d", status, by)
	}
	if err := l.handler.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

// TestNoBrowserIsSentToACat: an address of any of them becomes a path.
func TestNoBrowserIsSentToACat(t *testing.T) {
	l := newCatsLab(t, false, false)
	ex := &exchange{h: l.handler, upstream: l.clients[0]}
	for at, want := range map[string]string{
		l.running[0].URL + "/a/":     "/a/",
		l.running[1].URL + "/b?c":    "/b?c",
		l.running[2].URL + "//evil":  "/",
		"https://idp.example/signin": "https://idp.example/signin",
	} {
		h := http.Header{"Location": {at}}
		if ex.mapAddresses(h); h.Get("Location") != want {
			t.Errorf("%s became %s", at, h.Get("Location"))
		}
	}
}

// TestRunLooksAfterEach and ends with its context.
func TestRunLooksAfterEach(t *testing.T) {
	l := newCatsLab(t, false, true)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.cats.Run(ctx)
	}()
	for deadline := time.Now().Add(10 * time.Second); l.handler.Ready(t.Context()) != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(l.handler.Ready(t.Context()))
		}
	}
	cancel()
	<-ended
}
