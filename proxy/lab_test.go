package proxy

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/permission"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/upstream"
)

// tokens is a handler whose tokens are names: the person of that name, in the
// group of that name.
type tokens struct{}

func (tokens) Authenticate(_ context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if !r.Credential.Bearer() {
		return nil, authhandlers.ErrNoCredential
	}
	switch name := r.Credential.Value; name {
	case "base", "editor", "admin", "alice", "bob":
		return &authhandlers.AuthUserInfo{Issuer: "https://idp.example", Subject: name, Groups: []string{name}}, nil
	case "fault":
		return nil, io.ErrUnexpectedEOF
	case "busy":
		return nil, authhandlers.ErrBusy
	case "panic":
		panic("a handler of somebody's own")
	case "opaque":
		return nil, authhandlers.ErrNoCredential
	}
	return nil, authhandlers.Reject(authhandlers.CodeBadSignature, "get a new token", "bad signature")
}

// recordingCat keeps what reached it. What it answers can be changed.
type recordingCat struct {
	mu     sync.Mutex
	seen   []*http.Request
	answer http.HandlerFunc
}

func (c *recordingCat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.seen = append(c.seen, r)
	answer := c.answer
	c.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, `{"ok":true}`)
}

func (c *recordingCat) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// sawTarget reports a request of that target.
func (c *recordingCat) sawTarget(target string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.seen, func(r *http.Request) bool { return r.RequestURI == target })
}

func (c *recordingCat) last(t *testing.T) *http.Request {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) == 0 {
		t.Fatal("nothing reached the Cat")
	}
	return c.seen[len(c.seen)-1]
}

func (c *recordingCat) answers(f http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

// lab is a Handler between a client and a recording Cat.
type lab struct {
	t        *testing.T
	contract *cat.Contract
	cat      *recordingCat
	upstream *httptest.Server
	front    *httptest.Server
	handler  *Handler
	mu       sync.Mutex
	records  []Record
}

const labKey = "the-cats-own-key"

func newLab(t *testing.T, change func(*Options)) *lab {
	t.Helper()
	l := &lab{t: t, contract: cat.V1(), cat: &recordingCat{}}
	l.upstream = httptest.NewServer(l.cat)
	t.Cleanup(l.upstream.Close)
	base, err := url.Parse(l.upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := authhandlers.NewChain(time.Now, authhandlers.Link{Name: "staff", Alias: "staff", Handler: tokens{}})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := permission.New(permission.Rules{
		Everyone: []string{"base"},
		Grants: []permission.Grant{
			{From: []string{"staff"}, Groups: []string{"admin"}, Allow: []string{"admin"}},
			{From: []string{"staff"}, Groups: []string{"editor"}, Allow: []string{"UPLOAD:WRITE", "MEMORY:READ"}},
		},
		Public: []string{"GET /custom/public/**"},
	})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	hub := chat.NewHub(chat.Options{Settings: chat.Settings{Mode: chat.Shared, Ping: 30 * time.Second, MaxMessage: 16 << 20}, Now: time.Now})
	t.Cleanup(func() { _ = hub.Shutdown(context.Background()) })
	client := upstream.NewClient(upstream.ClientOptions{Base: base, ConnectTimeout: 2 * time.Second, ResponseTimeout: 5 * time.Second, Log: log})
	t.Cleanup(client.Close)
	o := Options{
		Chain: chain, Policy: policy, Contract: l.contract, Credentials: cat.NewKeys(labKey, "the-cats-ws-key"),
		Cats: oneCat(t, client), Hub: hub, QueryToken: true, MaxHeaders: 100, BodyIdle: 5 * time.Second,
		BodyUnread: time.Second, UnderWay: NewUnderWay(), PerPerson: 100, PerAddress: 250,
		Origins: []string{"https://app.example.com", "capacitor://localhost"},
		Observe: l.observe, Log: log, Now: time.Now,
	}
	if change != nil {
		change(&o)
	}
	if l.handler, err = New(o); err != nil {
		t.Fatal(err)
	}
	l.front = httptest.NewServer(l.handler)
	t.Cleanup(l.front.Close)
	return l
}

func (l *lab) observe(r *Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, *r)
	if r.Code != "" && !tabled(r.Code, r.Status) {
		l.t.Errorf("the table of refusals has no %s with %d", r.Code, r.Status)
	}
}

// tabled reports a code that is answered with that status. Those of a credential come with
// 403 at a sign-in, and with 400 in the log of a logout token; one without a status breaks
// off an answer that had one.
func tabled(code authhandlers.Code, status int) bool {
	return slices.ContainsFunc(refusals.Table(), func(r refusals.Refusal) bool {
		credential := slices.Contains(r.Status, http.StatusUnauthorized) && (status == http.StatusForbidden || status == http.StatusBadRequest)
		return r.Code == code && (len(r.Status) == 0 || credential || slices.Contains(r.Status, status))
	})
}

// record returns the record of the newest exchange once it is there: it is
// written after the answer.
func (l *lab) record(t *testing.T, n int) Record {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		l.mu.Lock()
		if len(l.records) >= n {
			defer l.mu.Unlock()
			return l.records[n-1]
		}
		l.mu.Unlock()
	}
	t.Fatalf("there is no record %d", n)
	return Record{}
}

func (l *lab) request(t *testing.T, method, path, token, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, l.front.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req
}

// send does not follow redirects.
func (l *lab) send(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := l.front.Client().Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func (l *lab) do(t *testing.T, method, path, token, body string) (int, string) {
	t.Helper()
	resp, text := l.send(t, l.request(t, method, path, token, body))
	return resp.StatusCode, text
}

func prefixes(t *testing.T, texts ...string) []netip.Prefix {
	t.Helper()
	var l []netip.Prefix
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		l = append(l, p)
	}
	return l
}

// oneCat is a pool of one Cat that nobody looks at.
func oneCat(t testing.TB, client *upstream.Client) *upstream.Pool {
	t.Helper()
	return guarded(t, client, cat.NewGuard(nil, slog.New(slog.DiscardHandler)))
}

func guarded(t testing.TB, client *upstream.Client, guard *cat.Guard) *upstream.Pool {
	t.Helper()
	p, err := upstream.New([]upstream.Member{{Client: client, Guard: guard}}, false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// catAt is a pool of one Cat with that address.
func catAt(t testing.TB, base *url.URL) *upstream.Pool {
	t.Helper()
	c := upstream.NewClient(upstream.ClientOptions{Base: base, ConnectTimeout: time.Second, ResponseTimeout: 5 * time.Second, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(c.Close)
	return oneCat(t, c)
}

// theCat is the one Cat of a pool.
func theCat(t testing.TB, p *upstream.Pool) *upstream.Client {
	t.Helper()
	c, err := p.Pick("anybody", true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
