package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// TestSignInAgain: whatever has become of a session, the way in begins a new one, and
// what comes of it counts.
func TestSignInAgain(t *testing.T) {
	for name, fault := range map[string]error{
		"the provider is down": io.ErrUnexpectedEOF,
		"a wrong secret":       fmt.Errorf("%w: invalid_client", authhandlers.ErrSetup),
		"it is refused":        authhandlers.Reject("login_ended", "sign in again", "invalid_grant"),
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{title: "desk", life: 5 * time.Minute}
			l := newDesk(t, nil, d)
			b := l.browser(t)
			b.signIn("alice")
			if resp, _ := b.goTo("/_catflap/login?return_to=/custom/page"); resp.Header.Get("Location") != "/custom/page" {
				t.Errorf("with a good session the way in leads to %q", resp.Header.Get("Location"))
			}
			d.answersTo("refresh-alice", fault)
			d.ahead.Add(int64(6 * time.Minute))
			for range 2 { // the second time within the provider's rest
				resp, text := b.goTo("/_catflap/login")
				if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(resp.Header.Get("Location"), d.LoginIssuer()) {
					t.Fatalf("the way in: %d %s %s", resp.StatusCode, resp.Header.Get("Location"), text)
				}
			}
			b.finish(b.begin(""), "bob")
			if b.is() != "desk:bob" {
				t.Errorf("after a new sign-in: %q", b.is())
			}
		})
	}
}

// TestFaultsThatStay: no page and no answer promises that waiting helps where somebody
// has to change something.
func TestFaultsThatStay(t *testing.T) {
	broken := fmt.Errorf("%w: the provider answered 401 invalid_client", authhandlers.ErrSetup)
	d := &desk{title: "desk", life: 5 * time.Minute}
	l := newDesk(t, nil, d)
	b := l.browser(t)
	b.signIn("alice")
	promises := func(what string, resp *http.Response, text string) {
		t.Helper()
		if resp.StatusCode < 500 || resp.Header.Get("Retry-After") != "" {
			t.Errorf("%s: %d, retry after %q", what, resp.StatusCode, resp.Header.Get("Retry-After"))
		}
		for _, s := range []string{"try again", "in a moment", "at the moment", "does not answer"} {
			if strings.Contains(strings.ToLower(text), s) {
				t.Errorf("%s: it promises %q: %s", what, s, text)
			}
		}
	}
	d.answersTo("refresh-alice", broken)
	d.ahead.Add(int64(6 * time.Minute))
	for range 2 { // the second time the provider is not asked
		resp, text := b.goTo("/")
		promises("a page", resp, text)
		resp, text = b.script(http.MethodGet, "/", "")
		promises("an answer", resp, text)
	}
	d.answersTo("begin", broken)
	resp, text := l.browser(t).goTo("/_catflap/login")
	promises("the way in", resp, text)
	if !strings.Contains(text, "provider_setup") {
		t.Errorf("the way in: %s", text)
	}
	d.answersTo("begin", errors.New("connection refused"))
	if resp, text = l.browser(t).goTo("/_catflap/login"); resp.Header.Get("Retry-After") == "" || !strings.Contains(text, "Try again") {
		t.Errorf("an outage: %d %s", resp.StatusCode, text)
	}
}
