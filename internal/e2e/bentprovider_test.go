package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	maker "github.com/catflap/catflap/authhandlers/authtest/issuer"
)

// bentProvider signs alice in without a question, and bends its answers as providers
// in the world do.
type bentProvider struct {
	*maker.Issuer

	mu      sync.Mutex
	nonces  map[string]string // by code
	serial  int
	id      []maker.Change
	extra   map[string]any   // of the token answer; nil takes a member away
	kind    string           // its Content-Type
	refresh http.HandlerFunc // in place of each renewal
	token   http.HandlerFunc // in place of each answer
}

func startBentProvider(t testing.TB) *bentProvider {
	t.Helper()
	i, err := maker.New(maker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	p := &bentProvider{Issuer: i, nonces: map[string]string{}, extra: map[string]any{}, kind: "application/json"}
	p.Discover(map[string]any{"authorization_endpoint": p.URL() + "/authorize", "token_endpoint": p.URL() + "/token"})
	p.Handle("GET /authorize", p.serveAuthorize)
	p.Handle("POST /token", p.serveToken)
	return p
}

func (p *bentProvider) issuer() string { return p.URL() }

// bend changes it under its lock.
func (p *bentProvider) bend(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *bentProvider) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.mu.Lock()
	p.serial++
	code := fmt.Sprintf("code-%d", p.serial)
	p.nonces[code] = q.Get("nonce")
	p.mu.Unlock()
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusSeeOther)
}

func (p *bentProvider) serveToken(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	renews := r.FormValue("grant_type") == "refresh_token"
	switch {
	case p.token != nil:
		p.token(w, r)
		return
	case renews && p.refresh != nil:
		p.refresh(w, r)
		return
	}
	changes := []maker.Change{maker.Header("typ", nil), maker.Claim("aud", "catflap"), maker.Without("client_id", "jti")}
	if !renews {
		changes = append(changes, maker.Claim("nonce", p.nonces[r.FormValue("code")]))
	}
	answer := map[string]any{
		"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "refresh_token": fmt.Sprintf("refresh-%d", p.serial),
		"id_token": p.Token("alice", append(changes, p.id...)...),
	}
	maps.Copy(answer, p.extra)
	maps.DeleteFunc(answer, func(_ string, v any) bool { return v == nil })
	w.Header().Set("Content-Type", p.kind)
	_ = json.NewEncoder(w).Encode(answer)
}

// answers is a fixed answer.
func answers(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// atBent starts a Catflap whose people sign in there, and somebody before it.
func atBent(t testing.TB, p *bentProvider) (*flap, *visitor) {
	t.Helper()
	f := withDesk(t, startCat(t), config{}, desk{name: "company", provider: p, clientID: "catflap", secret: "bent provider's secret"})
	return f, newVisitor(t, f.public())
}

func bodyOf(t testing.TB, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// goTo goes to a page as a person does, and stays where the answer is.
func (v *visitor) goTo(path string) *http.Response {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.public.String()+path, http.NoBody)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	req.Header.Set("Accept", "text/html")
	res, err := visitOnce(v.client, req)
	if err != nil {
		v.t.Fatal(err)
	}
	return res
}

// TestDeadRefreshTokens: in whatever words a provider refuses, the person is sent to
// sign in again, and can. An outage ends nothing, and they can all the same.
func TestDeadRefreshTokens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		over   bool
	}{
		"401 invalid_grant":   {answers(401, "application/json", `{"error":"invalid_grant"}`), true},
		"400 invalid_request": {answers(400, "application/json", `{"error":"invalid_request"}`), true},
		"empty":               {answers(400, "text/plain", ""), true},
		"a page":              {answers(403, "text/html", "<!doctype html><title>Forbidden</title>"), true},
		"down":                {answers(503, "text/html", "<title>Down</title>"), false},
		"too often":           {answers(429, "application/json", `{"error":"invalid_grant"}`), false},
		"wrong secret":        {answers(401, "application/json", `{"error":"invalid_client"}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startBentProvider(t)
			f, v := atBent(t, p)
			p.bend(func() { p.extra["expires_in"], p.refresh = 1, c.answer })
			v.signIn(p, "company", "alice")
			await(t, "past the tokens' end", func() bool {
				res := v.goTo("/plugins/")
				if c.over {
					return res.StatusCode == http.StatusFound && strings.HasPrefix(res.Header.Get("Location"), "/_catflap/login")
				}
				return res.StatusCode == http.StatusServiceUnavailable && strings.Contains(bodyOf(t, res), "/_catflap/login?return_to=%2Fplugins%2F")
			}, f.log.String)
			if res := v.goTo("/_catflap/login"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), p.URL()+"/authorize") {
				t.Errorf("the way in: %d %s", res.StatusCode, res.Header.Get("Location"))
			}
			p.bend(func() { p.extra["expires_in"] = 300 })
			v.signIn(p, "company", "alice")
			if who := v.is(f.addr); who != "company:alice" {
				t.Errorf("signed in again: %q", who)
			}
		})
	}
}

// TestOddTokenAnswers sign people in.
func TestOddTokenAnswers(t *testing.T) {
	t.Parallel()
	groups := []string{"/cat-admins"}
	for i := range 300 {
		groups = append(groups, fmt.Sprintf("CN=team-%04d,OU=Groups,OU=Headquarters,DC=corp,DC=example,DC=com", i))
	}
	p := startBentProvider(t)
	f, _ := atBent(t, p)
	for name, bend := range map[string]func(){
		"300 groups":         func() { p.id = []maker.Change{maker.Claim("groups", groups)} },
		"no access token":    func() { p.extra["access_token"], p.extra["expires_in"] = nil, nil },
		"as text":            func() { p.kind = "text/plain; charset=utf-8" },
		"a fraction":         func() { p.extra["expires_in"] = 3599.5 },
		"a fraction in text": func() { p.extra["expires_in"] = "3599.5" },
	} {
		p.bend(func() {
			p.id, p.extra, p.kind = []maker.Change{maker.Claim("groups", []string{"/cat-admins"})}, map[string]any{}, "application/json"
			bend()
		})
		v := newVisitor(t, f.public())
		v.signIn(p, "company", "alice")
		if status, text := v.send(f.addr, "GET", "/plugins/", ""); status != 200 {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if status, _ := v.send(f.addr, "POST", "/_catflap/logout", ""); status != 200 && status != 303 {
			t.Errorf("%s: the logout is answered %d", name, status)
		}
	}
}

// TestFaultsThatStay: no page promises that waiting helps where it does not.
func TestFaultsThatStay(t *testing.T) {
	t.Parallel()
	p := startBentProvider(t)
	f, v := atBent(t, p)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		told   string // in the log
	}{
		"a wrong secret": {answers(401, "application/json", `{"error":"invalid_client"}`), "invalid_client"},
		"Keycloak's":     {answers(401, "application/json", `{"error":"unauthorized_client"}`), "unauthorized_client"},
		"no ID token":    {answers(200, "application/json", `{"access_token":"x","expires_in":300}`), "no ID token"},
	} {
		p.bend(func() { p.token = c.answer })
		res := walk(t, p, v.client, f.public()+"/_catflap/login?idp=company", func(*form) error { return nil })
		text := bodyOf(t, res)
		if res.StatusCode != http.StatusBadGateway || res.Header.Get("Retry-After") != "" || !strings.Contains(text, "provider_setup") {
			t.Errorf("%s: %d %s", name, res.StatusCode, text)
		}
		if low := strings.ToLower(text); strings.Contains(low, "try again") || strings.Contains(low, "moment") {
			t.Errorf("%s: the page promises that waiting helps: %s", name, text)
		}
		await(t, name+" told in the log", func() bool { return auditHas(f.log.String(), `"event":"fault"`, c.told) }, f.log.String)
	}
}

// TestKeysOfOneName: an issuer that gives one kid to two RSA keys has people all the same.
func TestKeysOfOneName(t *testing.T) {
	t.Parallel()
	p := startBentProvider(t)
	one, err := maker.NewKey("twin", "RS256")
	if err != nil {
		t.Fatal(err)
	}
	two, err := maker.NewKey("twin", "RS256")
	if err != nil {
		t.Fatal(err)
	}
	p.PublishJWK(one.JWK())
	p.PublishJWK(two.JWK())
	f, v := atBent(t, p)
	for _, k := range []*maker.Key{one, two} {
		p.bend(func() { p.id = []maker.Change{maker.SignedBy(k)} })
		v.signIn(p, "company", "alice")
		if got := asked(t, f, p.Token("alice", maker.SignedBy(k))); got != 200 {
			t.Errorf("a bearer: %d", got)
		}
	}
}
