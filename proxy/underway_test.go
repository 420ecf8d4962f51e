package proxy

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/refusals"
)

// busyLab is a lab whose Cat answers nothing below /custom/slow until it is let go.
func busyLab(t *testing.T, change func(*Options)) (l *lab, begun <-chan struct{}, let func()) {
	t.Helper()
	l = newLab(t, change)
	in, out := make(chan struct{}, 100), make(chan struct{})
	l.cat.answers(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/custom/slow" || r.URL.Path == "/custom/public/slow" {
			in <- struct{}{}
			<-out
		}
	})
	closed := false
	let = func() {
		if !closed {
			closed = true
			close(out)
		}
	}
	t.Cleanup(let)
	return l, in, let
}

// TestAPersonHasSoManyRequests under way at once, however they come; nobody else has
// fewer for it.
func TestAPersonHasSoManyRequests(t *testing.T) {
	l, begun, let := busyLab(t, func(o *Options) { o.PerPerson = 2 })
	ended := make(chan int, 2)
	for range 2 {
		req := l.request(t, "GET", "/custom/slow", "admin", "")
		go func() {
			resp, err := l.front.Client().Transport.RoundTrip(req)
			if err != nil {
				ended <- 0
				return
			}
			_ = resp.Body.Close()
			ended <- resp.StatusCode
		}()
		<-begun
	}
	resp, body := l.send(t, l.request(t, "POST", "/message", "admin", `{"text":"x"}`))
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	if r := l.record(t, 1); r.Code != refusals.TooManyRequests || r.Rule != "limits.requests_per_person" || r.User == "" {
		t.Errorf("%+v", r)
	}
	if status, body := l.do(t, "POST", "/message", "alice", "{}"); status != http.StatusOK {
		t.Errorf("another person: %d %s", status, body)
	}
	let()
	for range 2 {
		if status := <-ended; status != http.StatusOK {
			t.Error(status)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if status, body := l.do(t, "POST", "/message", "admin", "{}"); status == http.StatusOK {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the places stay taken: %d %s", status, body)
		}
	}
}

// TestAnAddressHasSoManyRequests of strangers, by the address that a front proxy
// names; whoever is known is not among them.
func TestAnAddressHasSoManyRequests(t *testing.T) {
	l, begun, _ := busyLab(t, func(o *Options) {
		o.PerAddress, o.TrustedProxies = 1, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	at := func(path, token, client string) *http.Request {
		req := l.request(t, "GET", path, token, "")
		if client != "" {
			req.Header.Set("X-Forwarded-For", client)
		}
		return req
	}
	slow := at("/custom/public/slow", "", "2001:db8::1")
	go func() {
		if resp, err := l.front.Client().Transport.RoundTrip(slow); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-begun
	for _, row := range []struct {
		name, path, token, client string
		want                      int
	}{
		{"the same network", "/custom/public/x", "", "2001:db8::2:2", 429},
		{"a page of ours", PagePrefix + "session", "", "2001:db8::1", 429},
		{"another network", "/custom/public/x", "", "2001:db8:0:1::1", 200},
		{"an IPv4 address", "/custom/public/x", "", "192.0.2.1", 200},
		{"the front proxy for nobody", "/custom/public/x", "", "", 200},
	} {
		if resp, body := l.send(t, at(row.path, row.token, row.client)); resp.StatusCode != row.want {
			t.Errorf("%s: %d %s", row.name, resp.StatusCode, body)
		}
	}
}

// TestAPersonIsNoStranger: whoever is known counts for themselves alone.
func TestAPersonIsNoStranger(t *testing.T) {
	l, begun, _ := busyLab(t, func(o *Options) { o.PerAddress = 1 })
	slow := l.request(t, "GET", "/custom/slow", "admin", "")
	go func() {
		if resp, err := l.front.Client().Transport.RoundTrip(slow); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-begun
	if status, body := l.do(t, "GET", "/custom/public/x", "", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

func TestNothingIsLeftUnderWay(t *testing.T) {
	l := newLab(t, nil)
	for range 3 {
		for _, token := range []string{"", "alice", "admin", "forged", "panic"} {
			resp, err := l.front.Client().Do(l.request(t, "POST", "/message", token, "{}"))
			if err == nil { // a handler that panics costs its own request
				_ = resp.Body.Close()
			}
		}
	}
	u := l.handler.o.UnderWay
	for deadline := time.Now().Add(5 * time.Second); len(u.people.all()) > 0 || len(u.networks.all()) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%v %v", u.people.all(), u.networks.all())
		}
	}
}

func (c *counts[K]) all() []K {
	c.mu.Lock()
	defer c.mu.Unlock()
	var l []K
	for k, n := range c.of {
		if n.Load() > 0 {
			l = append(l, k)
		}
	}
	return l
}

// TestCountsAreSwept: who has gone leaves nothing behind, who is there is kept.
func TestCountsAreSwept(t *testing.T) {
	var c counts[int]
	stays := c.enter(-1, 1)
	for k := range 10 * leastSwept {
		c.enter(k, 1).Add(-1)
	}
	if len(c.of) > 2*leastSwept {
		t.Errorf("%d are kept", len(c.of))
	}
	if c.enter(-1, 1) != nil || stays.Load() != 1 {
		t.Error("the one that is under way was forgotten")
	}
}

func BenchmarkUnderWay(b *testing.B) {
	h := &Handler{o: Options{UnderWay: NewUnderWay(), PerPerson: 100, PerAddress: 250}}
	u := &authhandlers.AuthUserInfo{Issuer: "https://idp.example.com/realms/staff", Subject: "8a2b1c9e-0000-4000-8000-000000000000", ID: "staff:8a2b1c9e"}
	ip := netip.MustParseAddr("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		ex := exchange{h: h, peer: peer{ip: ip}}
		_, _ = ex.enterAsStranger(), ex.enterAsPerson(u)
		ex.leave()
	}
}
