package proxy

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/refusals"
	"github.com/catflap/catflap/proxy/upstream"
)

func TestWhatReachesTheCat(t *testing.T) {
	l := newLab(t, func(o *Options) { o.ForwardHeaders = []string{"x-plugin"} })
	req := l.request(t, "POST", "/message?user_id=bob&token=T&k=v", "alice", `{"text":"hi"}`)
	for name, value := range map[string]string{
		"user_id": "admin", "User-Id": "admin", "Access_token": "alice", "Cookie": "ccat_user_token=J; a=1", "X-Forwarded-User": "admin",
		"X-Forwarded-For": "9.9.9.9", "Forwarded": "for=9.9.9.9", "Content-Type": "application/json", "X-Plugin": "kept", "X_Plugin": "a twin", "X-Other": "nobody's", "Origin": "https://app.example.com",
		"Referer": "https://app.example.com/chat?token=T", "Trailer": "user_id",
	} {
		req.Header[name] = []string{value}
	}
	resp, _ := l.send(t, req)
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.StatusCode)
	}
	got := l.cat.last(t)
	want := map[string]string{
		"User_id": "staff:alice", "Authorization": "Bearer " + labKey, "X-Plugin": "kept", "Content-Type": "application/json",
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "Referer": "https://app.example.com/chat",
	}
	for name, value := range want {
		if v := got.Header[name]; len(v) != 1 || v[0] != value {
			t.Errorf("%s: %q, want %q", name, v, value)
		}
	}
	for _, name := range []string{"User-Id", "Access_token", "Access-Token", "Cookie", "X-Forwarded-User", "Forwarded", "Origin", "Trailer", "X_plugin", "X_Plugin", "X-Other"} {
		if v, ok := got.Header[name]; ok {
			t.Errorf("%s reached the Cat: %q", name, v)
		}
	}
	if got.RequestURI != "/message?k=v" || got.Host != strings.TrimPrefix(l.upstream.URL, "http://") {
		t.Errorf("target %s at %s", got.RequestURI, got.Host)
	}
}

func TestRefusalsAreInTheCatsShape(t *testing.T) {
	l := newLab(t, nil)
	for _, c := range []struct {
		token, method, path string
		status              int
		code                authhandlers.Code
		challenge           string
	}{
		{"", "GET", "/", 401, authhandlers.CodeMissingCredential, "Bearer"},
		{"forged", "GET", "/", 401, authhandlers.CodeBadSignature, `Bearer error="invalid_token"`},
		{"opaque", "GET", "/", 401, authhandlers.CodeUnclaimed, `Bearer error="invalid_token"`},
		{"base", "GET", "/users/", 403, refusals.PermissionDenied, `Bearer error="insufficient_scope"`},
		{"fault", "GET", "/", 503, refusals.AuthenticationUnavailable, ""},
		{"busy", "GET", "/", 503, refusals.Busy, ""},
		{"panic", "GET", "/", 503, refusals.AuthenticationUnavailable, ""},
		{"base", "GET", "/a%2fb", 400, refusals.BadRequestTarget, ""},
		{"base", "TRACE", "/", 405, refusals.MethodNotAllowed, ""},
		{"admin", "OPTIONS", "/users/", 405, refusals.MethodNotAllowed, ""},
		{"base", "GET", "/_catflap/nothing", 404, refusals.NotFound, ""},
	} {
		seen := l.cat.count()
		resp, body := l.send(t, l.request(t, c.method, c.path, c.token, ""))
		var answer struct {
			Detail struct {
				Error, Hint string
				Code        authhandlers.Code
				RequestID   string `json:"request_id"`
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Errorf("%s %s as %q: %q", c.method, c.path, c.token, body)
			continue
		}
		d := answer.Detail
		if resp.StatusCode != c.status || d.Code != c.code || d.Error == "" || d.Hint == "" || d.RequestID == "" ||
			resp.Header.Get("WWW-Authenticate") != c.challenge || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s as %q: %d %q %s", c.method, c.path, c.token, resp.StatusCode, resp.Header.Get("WWW-Authenticate"), body)
		}
		if l.cat.count() != seen {
			t.Errorf("%s %s as %q reached the Cat", c.method, c.path, c.token)
		}
		if c.token != "" && strings.Contains(body, c.token) && c.token != "base" && c.token != "busy" {
			t.Errorf("the token is in the answer: %s", body)
		}
	}
}

func TestPublicEndpointsAreNobodys(t *testing.T) {
	l := newLab(t, nil)
	if status, _ := l.do(t, "GET", "/custom/public/logo", "", ""); status != http.StatusOK {
		t.Fatal(status)
	}
	got := l.cat.last(t)
	if got.Header.Get("User_id") != cat.AnonymousID || got.Header.Get("Authorization") != "" {
		t.Errorf("%v", got.Header)
	}
	if status, _ := l.do(t, "GET", "/custom/public/logo", "forged", ""); status != http.StatusUnauthorized {
		t.Errorf("a bad token became a guest: %d", status)
	}
	if status, _ := l.do(t, "GET", "/custom/public/logo", "base", ""); status != http.StatusOK {
		t.Error(status)
	}
	if got := l.cat.last(t); got.Header.Get("User_id") != "staff:base" || got.Header.Get("Authorization") != "" {
		t.Errorf("%v", got.Header)
	}
}

func TestBodiesOfAnySizeStreamThrough(t *testing.T) {
	l := newLab(t, nil)
	const size = 256 << 20
	l.cat.answers(func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		fmt.Fprintf(w, "%d %s %v", n, hex.EncodeToString(sum.Sum(nil)), err)
	})
	block := make([]byte, 1<<20)
	_, _ = rand.Read(block)
	sum := sha256.New()
	read, write := io.Pipe()
	go func() {
		for range size / len(block) {
			sum.Write(block)
			if _, err := write.Write(block); err != nil {
				return
			}
		}
		_ = write.Close()
	}()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	req := l.request(t, "POST", "/rabbithole/", "admin", "")
	req.Body, req.ContentLength = read, -1
	_, body := l.send(t, req)
	runtime.ReadMemStats(&after)
	if want := fmt.Sprintf("%d %s <nil>", size, hex.EncodeToString(sum.Sum(nil))); body != want {
		t.Errorf("the Cat read %s, want %s", body, want)
	}
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

func TestDownloadsStreamThrough(t *testing.T) {
	l := newLab(t, nil)
	release := make(chan struct{})
	l.cat.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			<-release
		}
	})
	resp, err := l.front.Client().Do(l.request(t, "GET", "/custom/stream", "admin", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 64)
	for i := range 3 {
		n, err := resp.Body.Read(buf)
		if err != nil || string(buf[:n]) != fmt.Sprintf("data: %d\n\n", i) {
			t.Fatalf("event %d: %q %v", i, buf[:n], err)
		}
		release <- struct{}{} // the next event is only made now
	}
}

func TestAClientThatLeavesCancelsAtTheCat(t *testing.T) {
	l := newLab(t, nil)
	started, ended := make(chan struct{}), make(chan struct{})
	l.cat.answers(func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
		close(ended)
	})
	ctx, cancel := contextWithCancel(t)
	req := l.request(t, "GET", "/", "base", "").WithContext(ctx)
	go func() {
		<-started
		cancel()
	}()
	if resp, err := l.front.Client().Do(req); err == nil {
		_ = resp.Body.Close()
		t.Fatal("an answer came")
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the Cat still works for a client that has left")
	}
}

func TestBadBodiesAreTheClients(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxBody, o.BodyIdle = 1<<20, 200*time.Millisecond })
	addr := strings.TrimPrefix(l.front.URL, "http://")
	head := "POST /message HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice\r\n"
	for name, c := range map[string]struct{ raw, status string }{
		"malformed chunk":       {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
		"stands still":          {head + "Content-Length: 10\r\n\r\n12345", "408"},
		"stands still, chunks":  {head + "Transfer-Encoding: chunked\r\n\r\n5\r\n12", "408"},
		"stands still, refused": {strings.ReplaceAll(head, "alice", "forged") + "Content-Length: 10\r\n\r\n12345", "401"},
		"too large by length":   {head + "Content-Length: 2097152\r\n\r\n", "413"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rawStatus(t, addr, c.raw); got != c.status {
				t.Errorf("%s, want %s", got, c.status)
			}
		})
	}
	big := bytes.Repeat([]byte("x"), 2<<20)
	req := l.request(t, "POST", "/message", "alice", "")
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(big)), -1
	resp, err := l.front.Client().Do(req)
	if err == nil { // the server may cut the connection under the rest of the body
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("too large in chunks: %d", resp.StatusCode)
		}
	}
}

// TestStaleConnections is the Cat's own fault: after a 500 it closes the
// connection without saying so. No client may see that.
func TestStaleConnections(t *testing.T) {
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		t.Run(method, func(t *testing.T) {
			stale := newStaleCat(t)
			base, _ := url.Parse("http://" + stale.addr)
			l := newLab(t, func(o *Options) {
				o.Cats = oneCat(t, upstream.NewClient(upstream.ClientOptions{
					Base: base, ConnectTimeout: time.Second, ResponseTimeout: 5 * time.Second, Log: slog.New(slog.DiscardHandler),
				}))
			})
			for i := range 40 {
				want := http.StatusOK
				path := "/custom/x"
				if i%2 == 0 {
					path, want = "/custom/fails", http.StatusInternalServerError
				}
				if status, body := l.do(t, method, path, "admin", "{}"); status != want {
					t.Fatalf("request %d: %d %s", i, status, body)
				}
			}
		})
	}
}

func TestLocationsOfTheCatBecomePaths(t *testing.T) {
	l := newLab(t, nil)
	for location, want := range map[string]string{
		l.upstream.URL + "/users/":                   "/users/",
		l.upstream.URL + "/a?b=c#d":                  "/a?b=c#d",
		l.upstream.URL + "//evil.example/":           "/",
		"/auth/login?referer=%2Fadmin%2F":            "/auth/login?referer=%2Fadmin%2F",
		"https://elsewhere.example/x":                "https://elsewhere.example/x",
		"http://user:pw@" + l.upstream.URL[7:] + "/": "/",
	} {
		l.cat.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		resp, _ := l.send(t, l.request(t, "GET", "/custom/x", "admin", ""))
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("%s became %s, want %s", location, got, want)
		}
	}
}

func TestTheSlashIsSettledBeforeForwarding(t *testing.T) {
	l := newLab(t, nil)
	for path, want := range map[string]string{
		"/plugins": "/plugins/", "/llm/settings/": "/llm/settings", "/users": "/users/", "/memory/collections/": "/memory/collections", "/users/1/": "/users/1",
	} {
		l.do(t, "GET", path+"?a=b", "admin", "")
		if got := l.cat.last(t).RequestURI; got != want+"?a=b" {
			t.Errorf("%s went as %s", path, got)
		}
	}
}

func TestAnswersAreCleaned(t *testing.T) {
	l := newLab(t, nil)
	l.cat.answers(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Server", "uvicorn")
		h.Add("Set-Cookie", "ccat_user_token=x")
		h.Add("Set-Cookie", "__Host-catflap=planted")
		h.Add("Set-Cookie", " Access_Token = x")
		h.Add("Set-Cookie", "plugin=1")
	})
	resp, _ := l.send(t, l.request(t, "GET", "/", "base", ""))
	if v := resp.Header["Set-Cookie"]; !slices.Equal(v, []string{"plugin=1"}) {
		t.Errorf("cookies %q", v)
	}
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Server"} {
		if v := resp.Header.Get(name); v != "" {
			t.Errorf("%s: %s", name, v)
		}
	}
}

func TestFaultsOfOurOwnSide(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := gone.Addr().String()
	_ = gone.Close()
	base, _ := url.Parse("http://" + addr)
	l := newLab(t, func(o *Options) {
		o.Cats = oneCat(t, upstream.NewClient(upstream.ClientOptions{Base: base, ConnectTimeout: time.Second, ResponseTimeout: time.Second, Log: slog.New(slog.DiscardHandler)}))
	})
	status, body := l.do(t, "GET", "/", "base", "")
	if status != http.StatusBadGateway || strings.Contains(body, addr) {
		t.Errorf("%d %s", status, body)
	}
	r := l.record(t, 1)
	if r.RequestID == "" || !strings.Contains(body, r.RequestID) || r.Err == nil || r.Outcome != OutcomeFault {
		t.Errorf("record %+v for %s", r, body)
	}

	slow := newLab(t, func(o *Options) {
		u := *theCat(t, o.Cats).Base()
		o.Cats = oneCat(t, upstream.NewClient(upstream.ClientOptions{Base: &u, ConnectTimeout: time.Second, ResponseTimeout: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}))
	})
	slow.cat.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if status, _ := slow.do(t, "GET", "/", "base", ""); status != http.StatusGatewayTimeout {
		t.Error(status)
	}
}

// TestConcurrentPeopleNeverMix asks as many people at once and compares what the
// Cat saw with who asked (S-107).
func TestConcurrentPeopleNeverMix(t *testing.T) {
	l := newLab(t, nil)
	l.cat.answers(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.Header.Get("User_id"), body)
	})
	var wg sync.WaitGroup
	errs := make(chan error, 64)
	for i := range 32 {
		name := []string{"alice", "bob", "base", "editor"}[i%4]
		wg.Go(func() {
			for range 50 {
				if _, body := l.do(t, "POST", "/message", name, name); body != "staff:"+name+" "+name {
					errs <- errors.New(name + " got " + body)
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

func TestAnOpenCatIsNotServed(t *testing.T) {
	l := newLab(t, func(o *Options) {
		one := theCat(t, o.Cats)
		o.Cats = guarded(t, one, cat.NewGuard(&cat.Probe{Base: one.Base(), HTTP: http.DefaultClient, Now: time.Now}, slog.New(slog.DiscardHandler)))
	})
	status, body := l.do(t, "GET", "/", "admin", "")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, string(refusals.NotReady)) || l.cat.count() != 0 {
		t.Errorf("%d %s, %d requests at the Cat", status, body, l.cat.count())
	}
}
