package proxy

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// atDesk is a lab behind a proxy in front, with a provider that takes no made-up code.
func atDesk(t *testing.T) (*lab, *desk) {
	d := &desk{title: "desk", still: time.Now()} // the bounds let more pass with time
	d.answersTo("made-up", authhandlers.Reject("login_failed", "begin again", "no such code"))
	return newDesk(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }, d), d
}

// back comes back from the provider with a code, from an address.
func (b *browser) back(address, code string) *http.Response {
	b.t.Helper()
	navigates := map[string]string{"X-Forwarded-For": address, "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
	resp, _ := b.send(http.MethodGet, "/_catflap/login?idp=desk", "", navigates)
	at, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || at.Query().Get("state") == "" {
		b.t.Fatalf("%d %q", resp.StatusCode, at)
	}
	resp, _ = b.send(http.MethodGet, "/_catflap/callback?"+url.Values{"state": {at.Query().Get("state")}, "code": {code}}.Encode(), "", navigates)
	return resp
}

func mustWait(t *testing.T, resp *http.Response, status int) {
	t.Helper()
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if resp.StatusCode != status || err != nil || seconds < 1 {
		t.Errorf("%d, Retry-After %q; want %d and some seconds", resp.StatusCode, resp.Header.Get("Retry-After"), status)
	}
}

func TestMadeUpCodesAreBoundedByAddress(t *testing.T) {
	l, d := atDesk(t)
	asked := 0
	for _, address := range []string{"2001:db8::1", "2001:db8::2"} { // one subscriber
		for range 60 {
			resp := l.browser(t).back(address, "made-up")
			if resp.StatusCode == http.StatusTooManyRequests {
				mustWait(t, resp, http.StatusTooManyRequests)
				continue
			}
			asked++
		}
	}
	if asked < 20 || asked > 90 {
		t.Errorf("the provider was asked about %d made-up codes", asked)
	}
	// Others sign in as ever, and the same address again after a while.
	if resp := l.browser(t).back("2001:db8:0:1::1", "alice"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a neighbour's sign-in is answered %d", resp.StatusCode)
	}
	d.ahead.Add(int64(10 * time.Second))
	if resp := l.browser(t).back("2001:db8::1", "alice"); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a sign-in after a while is answered %d", resp.StatusCode)
	}
}

func TestMadeUpCodesAreBoundedInAll(t *testing.T) {
	l, _ := atDesk(t)
	asked, last := 0, (*http.Response)(nil)
	for i := range 800 {
		last = l.browser(t).back("203.0.113."+strconv.Itoa(i%250), "made-up")
		if last.StatusCode == http.StatusForbidden {
			asked++
		}
	}
	mustWait(t, last, http.StatusServiceUnavailable)
	if asked > 780 {
		t.Errorf("the provider was asked about %d made-up codes", asked)
	}
}

func TestAnOfficeSignsInFromOneAddress(t *testing.T) {
	l, _ := atDesk(t)
	for range 200 {
		if resp := l.browser(t).back("203.0.113.7", "alice"); resp.StatusCode != http.StatusSeeOther {
			t.Fatalf("answered %d", resp.StatusCode)
		}
	}
}

func TestStrangersLogoutTokensAreBounded(t *testing.T) {
	l, _ := atDesk(t)
	b := l.browser(t)
	post := func(address, token string) *http.Response {
		resp, _ := b.send(http.MethodPost, "/_catflap/backchannel-logout", "logout_token="+token, map[string]string{"X-Forwarded-For": address})
		return resp
	}
	read := 0
	var last *http.Response
	for range 120 {
		if last = post("203.0.113.7", "forged"); last.StatusCode == http.StatusBadRequest {
			read++
		}
	}
	mustWait(t, last, http.StatusTooManyRequests)
	if read < 20 || read > 90 {
		t.Errorf("%d tokens of a stranger were verified", read)
	}
	for i := range 200 { // the provider's own never count
		if resp := post("203.0.113.8", "alice."+strconv.Itoa(i)); resp.StatusCode != http.StatusOK {
			t.Fatalf("the provider's logout is answered %d", resp.StatusCode)
		}
	}
}

func TestSignInsBegunAreBounded(t *testing.T) {
	l, _ := atDesk(t)
	var last *http.Response
	for range 800 {
		last, _ = l.browser(t).send(http.MethodGet, "/_catflap/login?idp=desk", "", map[string]string{"X-Forwarded-For": "203.0.113.7"})
		if last.StatusCode != http.StatusSeeOther {
			break
		}
	}
	mustWait(t, last, http.StatusTooManyRequests)
}
