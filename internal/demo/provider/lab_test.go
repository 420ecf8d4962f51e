package provider

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
)

const (
	labSecret   = "a secret: with + and % in it"
	labRedirect = "http://localhost:8080/_catflap/callback"
	labSignOut  = "http://localhost:8080/"
)

// lab is a provider that is served, its client, and a clock.
type lab struct {
	*Provider
	t      *testing.T
	oidc   *oidc.Provider
	client oauth2.Config

	mu     sync.Mutex
	now    time.Time
	down   bool     // the client's back channel
	logout []string // logout tokens that came
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, now: time.Now()}
	backChannel := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.down {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		l.logout = append(l.logout, r.PostFormValue("logout_token"))
	}))
	t.Cleanup(backChannel.Close)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.ServeHTTP(w, r) }))
	issuer := "http://" + server.Listener.Addr().String()
	var err error
	l.Provider, err = New(Options{
		Issuer: issuer, ClientID: "catflap", ClientSecret: labSecret, Audience: "cat",
		Redirects: []string{labRedirect}, PostLogout: []string{labSignOut}, BackChannel: backChannel.URL,
		Now: l.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)
	if l.oidc, err = oidc.NewProvider(t.Context(), issuer); err != nil {
		t.Fatal(err)
	}
	l.client = oauth2.Config{
		ClientID: "catflap", ClientSecret: labSecret, RedirectURL: labRedirect, Scopes: []string{"openid", "profile"},
		Endpoint: l.oidc.Endpoint(),
	}
	l.client.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	return l
}

func (l *lab) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *lab) later(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

func (l *lab) breakClient() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
}

// logouts are the claims of the logout tokens that the client has got.
func (l *lab) logouts() []jwt.MapClaims {
	l.t.Helper()
	l.mu.Lock()
	tokens := l.logout
	l.mu.Unlock()
	var all []jwt.MapClaims
	for _, token := range tokens {
		verifier := l.oidc.Verifier(&oidc.Config{ClientID: "catflap", Now: l.clock})
		if _, err := verifier.VerifyLogout(l.t.Context(), token); err != nil {
			l.t.Fatal(err)
		}
		claims := jwt.MapClaims{}
		parsed, _, err := jwt.NewParser().ParseUnverified(token, claims)
		if err != nil || parsed.Header["typ"] != "logout+jwt" {
			l.t.Fatal(err, parsed.Header)
		}
		all = append(all, claims)
	}
	return all
}

// browser keeps cookies and follows nothing.
type browser struct {
	t      *testing.T
	client *http.Client
}

func (l *lab) newBrowser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return &browser{l.t, &http.Client{
		Jar: jar, Timeout: 5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(req *http.Request) answer {
	b.t.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{resp, string(body)}
}

func (b *browser) get(address string) answer {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) post(address string, form url.Values, head ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, h := range head {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	return b.do(req)
}

// sentBack is the query with which the browser was sent to the client.
func (a answer) sentBack(t *testing.T) url.Values {
	t.Helper()
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.StatusCode != http.StatusSeeOther || to.Scheme+"://"+to.Host+to.Path != labRedirect {
		t.Fatalf("not sent to the client: %d %s\n%s", a.StatusCode, a.Header.Get("Location"), a.body)
	}
	return to.Query()
}

// attempt is one login with the verifier that it needs.
type attempt struct {
	verifier, address string
}

func (l *lab) begin(options ...oauth2.AuthCodeOption) attempt {
	verifier := oauth2.GenerateVerifier()
	options = append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), oidc.Nonce("the-nonce")}, options...)
	return attempt{verifier, l.client.AuthCodeURL("the-state", options...)}
}

// code signs somebody in with the page.
func (l *lab) code(b *browser, name string) (code, verifier string) {
	l.t.Helper()
	a := l.begin(oauth2.SetAuthURLParam("prompt", "login"))
	code = b.post(a.address, url.Values{"person": {name}}).sentBack(l.t).Get("code")
	return code, a.verifier
}

func (l *lab) tokens(b *browser, name string) *oauth2.Token {
	l.t.Helper()
	code, verifier := l.code(b, name)
	tokens, err := l.client.Exchange(l.t.Context(), code, oauth2.VerifierOption(verifier))
	if err != nil {
		l.t.Fatal(err)
	}
	return tokens
}

func (l *lab) refresh(token string) (*oauth2.Token, error) {
	return l.client.TokenSource(context.Background(), &oauth2.Token{RefreshToken: token}).Token()
}

func hint(t *oauth2.Token) string {
	id, _ := t.Extra("id_token").(string)
	return id
}
