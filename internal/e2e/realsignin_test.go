package e2e

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// application signs people in at a provider by the code flow and shows who they are:
// just enough to hold the helpers and the providers to what other tests build upon.
type application struct {
	t        testing.TB
	provider issuing
	id       string
	at       struct {
		Authorize string `json:"authorization_endpoint"`
		Token     string `json:"token_endpoint"`
		End       string `json:"end_session_endpoint"`
	}
	verifier string
	idToken  string // the last
	refresh  string // the last
	access   string // the last
	url      string
}

func startApplication(t testing.TB, provider issuing, client string) *application {
	t.Helper()
	a := &application{t: t, provider: provider, id: client, verifier: rand.Text() + rand.Text()}
	a.get(provider.issuer()+"/.well-known/openid-configuration", &a.at)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", a.start)
	mux.HandleFunc("/_catflap/callback/staff", a.callback)
	mux.HandleFunc("/_catflap/signed-out", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "signed out") })
	mux.HandleFunc("/sign-out", func(w http.ResponseWriter, r *http.Request) {
		q := url.Values{"id_token_hint": {a.idToken}, "post_logout_redirect_uri": {a.url + "/_catflap/signed-out"}}
		http.Redirect(w, r, a.at.End+"?"+q.Encode(), http.StatusSeeOther)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *application) get(url string, into any) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, url, http.NoBody)
	if err == nil {
		err = decodeAnswer(req, into)
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *application) start(w http.ResponseWriter, r *http.Request) {
	challenge := sha256.Sum256([]byte(a.verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {a.id}, "scope": {"openid"}, "redirect_uri": {a.url + "/_catflap/callback/staff"},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	http.Redirect(w, r, a.at.Authorize+"?"+q.Encode(), http.StatusSeeOther)
}

func (a *application) callback(w http.ResponseWriter, r *http.Request) {
	got, err := a.grant(url.Values{
		"grant_type": {"authorization_code"}, "code": {r.FormValue("code")}, "code_verifier": {a.verifier},
		"redirect_uri": {a.url + "/_catflap/callback/staff"},
	})
	if err != nil {
		http.Error(w, r.FormValue("error")+": "+err.Error(), http.StatusBadGateway)
		return
	}
	a.idToken, a.refresh, a.access = got.ID, got.Refresh, got.Access
	fmt.Fprintf(w, "<!doctype html><title>The app</title><p id=who>%s</p>", html.EscapeString(claimsOf(a.t, got.ID)["sub"].(string)))
}

func (a *application) grant(form url.Values) (tokens, error) {
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.at.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return tokens{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(a.id, a.id+"-secret")
	var got tokens
	return got, decodeAnswer(req, &got)
}

// TestSigningIn: people sign in and out at both providers, with a browser and without
// one, and the provider tells who has signed out.
func TestSigningIn(t *testing.T) {
	t.Parallel()
	logouts := make(chan string, 8)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		logouts <- r.FormValue("logout_token")
	}))
	defer receiver.Close()
	told := func(t *testing.T, sub string) {
		t.Helper()
		select {
		case token := <-logouts:
			if got := claimsOf(t, token)["sub"]; got != sub {
				t.Errorf("the logout token is for %v", got)
			}
		case <-time.After(patience):
			t.Error("no logout token came")
		}
	}
	for _, name := range []string{"Keycloak", "oidc-provider"} {
		t.Run(name, func(t *testing.T) {
			user, sub := "bob", bobSub
			var a *application
			var end func()
			switch name {
			case "Keycloak":
				k := startKeycloak(t)
				k.setBackchannel(receiver.URL)
				user = k.newPerson("cat-users")
				sub = k.subject(user)
				a, end = startApplication(t, k, k.clientID), func() { k.logoutUser(user) }
			default:
				p := startProvider(t)
				p.control("backchannel?uri=" + url.QueryEscape(receiver.URL))
				a, end = startApplication(t, p, "catflap"), func() { p.control("logout?user=" + user) }
				defer func() {
					if refreshed, codes := p.count("/token refresh_token"), p.count("/token authorization_code"); refreshed != 1 || codes < 2 {
						t.Errorf("%d refreshes, %d codes", refreshed, codes)
					}
				}()
			}
			client := newClient(t)
			shows(t, signInAt(t, a.provider, client, a.url, user), sub)
			// Signed in there already: no form any more.
			shows(t, walk(t, a.provider, client, a.url, func(*form) error { return fmt.Errorf("a form") }), sub)
			if _, err := a.grant(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.refresh}}); err != nil {
				t.Errorf("refresh: %v", err)
			}
			shows(t, signOutAt(t, a.provider, client, a.url+"/sign-out"), "signed out")
			told(t, sub)

			t.Run("in a browser", func(t *testing.T) {
				tab := startBrowser(t).person(t).open()
				tab.visit(a.url)
				tab.fill("input[name=username]", user)
				tab.fill("input[name=password]", user+"-pw")
				tab.click("[type=submit]")
				tab.wait("signed in", `document.title == "The app"`)
				if got := tab.text("#who"); got != sub {
					t.Errorf("signed in as %s", got)
				}
				end()
				told(t, sub)
			})
		})
	}
}

// shows asserts a page of the application with that text.
func shows(t testing.TB, res *http.Response, text string) {
	t.Helper()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK || !strings.Contains(string(body), text) {
		t.Fatalf("%s answered %d %s", withoutQuery(res.Request.URL), res.StatusCode, clip(body, 500))
	}
}
