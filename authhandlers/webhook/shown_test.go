package webhook_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/webhook"
	"github.com/catflap/catflap/config/value"
)

// TestWhatIsShown: the service sees the chosen values, and nothing else of the request.
func TestWhatIsShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("our-own-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(c *webhook.Config) {
		c.SendHeaders, c.SendCookies = []string{"x-legacy-session", "X-Tenant"}, []string{"PHPSESSID", "remember"}
		c.Secret, c.Method = value.Secret{File: value.Path(file)}, "POST"
	})
	f.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.ContentLength != 0 {
			t.Errorf("%s with %d bytes", r.Method, r.ContentLength)
		}
		says(`{"user_id":"alice"}`)(w, r)
	})
	r := with(sessionHeader, "s-1", "Cookie", `__Host-catflap=ours; PHPSESSID="p=1"; ccat_user_token=x`, "Cookie", "remember=me;phpsessid=no",
		"X-Other", "other", "User-Agent", "browser", "Referer", "https://elsewhere.example", "X_Legacy_Session", "no", "Authorization", "Basic YTpi")
	r.Credential = &authhandlers.Credential{Scheme: "basic", Value: "YTpi", Carrier: authhandlers.CarrierAuthorization}
	if _, err := f.h.Authenticate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, values := range f.seen() {
		got = append(got, name+": "+strings.Join(values, "|"))
	}
	slices.Sort(got)
	want := []string{
		"Accept-Encoding: gzip", "Accept: application/json", "Authorization: Bearer our-own-secret", "Content-Length: 0",
		`Cookie: PHPSESSID="p=1"; remember=me`, "User-Agent: catflap", "X-Legacy-Session: s-1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("shown:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestWhatIsNotAsked: what is no credential of the handler, and what has none to show.
func TestWhatIsNotAsked(t *testing.T) {
	f := newFixture(t, func(c *webhook.Config) { c.SendCookies = []string{"PHPSESSID"} })
	for _, row := range []struct {
		name, want string
		request    *authhandlers.Request
	}{
		{"nothing", "passed on", with()},
		{"an empty header", "passed on", with(sessionHeader, "")},
		{"an empty cookie", "passed on", with("Cookie", "PHPSESSID=")},
		{"twice", "malformed_token", with(sessionHeader, "s-a", sessionHeader, "s-b")},
		{"a cookie twice", "malformed_token", with("Cookie", "PHPSESSID=a; PHPSESSID=b")},
		{"a cookie in two lines", "malformed_token", with("Cookie", "PHPSESSID=a", "Cookie", "PHPSESSID=b")},
		{"a control character", "malformed_token", with(sessionHeader, "a\x00b")},
		{"too long", "token_too_large", with(sessionHeader, strings.Repeat("x", 17<<10))},
		{"an API key", "passed on", with(sessionHeader, "catflap_abc")},
		{"an API key with a scheme", "passed on", with(sessionHeader, "Bearer Catflap_abc")},
	} {
		if _, err := f.h.Authenticate(t.Context(), row.request); code(err) != row.want {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
		}
	}
	both := authtest.Bearer("token")
	both.HTTP.Header.Set(sessionHeader, "s-alice")
	if _, err := f.h.Authenticate(t.Context(), both); code(err) != "passed on" {
		t.Errorf("a bearer token does not decide: %v", err)
	}
	if n := f.asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

// TestBearers: with Authorization, a token counts wherever the client has put it.
func TestBearers(t *testing.T) {
	f := newFixture(t, func(c *webhook.Config) { c.SendHeaders = []string{"Authorization"} })
	f.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer good" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		says(`{"user_id":"alice"}`)(w, r)
	})
	for _, c := range []authhandlers.Carrier{authhandlers.CarrierAuthorization, authhandlers.CarrierQuery, authhandlers.CarrierLegacyHeader} {
		r := authtest.NewRequest()
		r.Credential = &authhandlers.Credential{Scheme: "bearer", Value: "good", Carrier: c}
		if _, err := f.h.Authenticate(t.Context(), r); err != nil {
			t.Errorf("%s: %v", c, err)
		}
		if authhandlers.IsAmbient(f.h, r) {
			t.Errorf("%s: a browser sends it by itself", c)
		}
	}
	basic := with("Authorization", "Basic YTpi")
	if _, err := f.h.Authenticate(t.Context(), basic); code(err) != "not_vouched_for" || !authhandlers.IsAmbient(f.h, basic) {
		t.Errorf("Basic: %v", err)
	}
	key := authtest.Bearer("catflap_abc")
	if _, err := f.h.Authenticate(t.Context(), key); code(err) != "passed on" {
		t.Errorf("an API key: %v", err)
	}
	// A bearer token that any page can add proves nothing about what stands beside it.
	f = newFixture(t, func(c *webhook.Config) {
		c.SendHeaders, c.SendCookies = []string{"Authorization"}, []string{"PHPSESSID"}
	})
	if !authhandlers.IsAmbient(f.h, authtest.Bearer("junk")) {
		t.Error("a token beside a cookie is not ambient")
	}
}

// TestNoTwoShareACredential: values that are put together in another way are asked about
// anew.
func TestNoTwoShareACredential(t *testing.T) {
	f := newFixture(t, func(c *webhook.Config) { c.SendHeaders, c.SendCookies = []string{"X-A", "X-B"}, []string{"c"} })
	f.answers(func(w http.ResponseWriter, r *http.Request) {
		c, _ := r.Cookie("c")
		if c == nil {
			c = &http.Cookie{}
		}
		says(fmt.Sprintf(`{"user_id":%q}`, "["+r.Header.Get("X-A")+"]["+r.Header.Get("X-B")+"]["+c.Value+"]"))(w, r)
	})
	parts := []string{"", "a", "b", "ab", "aa", "\tb"}
	for _, a := range parts {
		for _, b := range parts {
			for _, c := range []string{"", "a", "ab"} {
				if a+b+c == "" {
					continue
				}
				u, err := f.ask(t, "X-A", a, "X-B", b, "Cookie", "c="+c)
				if want := "[" + strings.TrimSpace(a) + "][" + strings.TrimSpace(b) + "][" + c + "]"; err != nil && code(err) != "fault" || err == nil && u.Subject != want {
					t.Errorf("%q: %v", want, err)
				}
			}
		}
		f.clock.Advance(30e9)
	}
}

// TestPresented: headers are a credential of the request, cookies give way to any other.
func TestPresented(t *testing.T) {
	presented := func(h authhandlers.AuthHandler, r *authhandlers.Request) string {
		c, err := h.(interface {
			Presented(*http.Request) (*authhandlers.Credential, error)
		}).Presented(r.HTTP)
		switch {
		case err != nil:
			return "error"
		case c == nil:
			return ""
		}
		return string(c.Carrier)
	}
	f := newFixture(t, func(c *webhook.Config) { c.SendCookies = []string{"c"} })
	for want, r := range map[string]*authhandlers.Request{
		"":                        with("Cookie", "c=x", "Authorization", "Bearer x"),
		"header " + sessionHeader: with(sessionHeader, "x"),
		"error":                   with(sessionHeader, "x", sessionHeader, "y"),
	} {
		if got := presented(f.h, r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f = newFixture(t, func(c *webhook.Config) { c.SendHeaders = append(c.SendHeaders, "Authorization") })
	if got := presented(f.h, with(sessionHeader, "x", "Authorization", "Bearer x")); got != "" {
		t.Errorf("%q beside the Credential", got)
	}
}
