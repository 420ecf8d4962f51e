package oidc_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
)

// FuzzLogoutToken reads any text as a logout token, and any payload in one that the
// provider has signed.
func FuzzLogoutToken(f *testing.F) {
	x := start(f, nil)
	f.Add(x.logoutToken(), `{"iss":"x"}`)
	f.Add("eyJ.e30.", `{"events":{"`+event+`":{}},"sub":"alice"}`)
	f.Add(strings.Repeat(".", 100), `[]`)
	key, head := x.p.Key("es256"), []byte(`{"alg":"ES256","kid":"es256","typ":"logout+jwt"}`)
	base := `{"iss":"` + x.p.URL() + `","aud":"` + clientID + `",`
	f.Fuzz(func(t *testing.T, token, payload string) {
		for _, text := range []string{
			token, issuer.SignRaw(key, head, []byte(payload)),
			issuer.SignRaw(key, head, []byte(base+strings.TrimPrefix(payload, "{"))),
		} {
			l, err := x.h.ReadLogoutToken(t.Context(), text)
			if (l == nil) == (err == nil) {
				t.Fatalf("%v and %v", l, err)
			}
			if err != nil {
				if code(err) == "fault" {
					t.Fatalf("a stranger's text is a fault: %v", err)
				}
				continue
			}
			if l.TokenID == "" || l.Revocation.Issuer != x.p.URL() || l.Revocation.Subject+l.Revocation.SessionID == "" || !l.Expiry.After(x.clock.Now()) {
				t.Fatalf("got %+v", l)
			}
		}
	})
}

// inProcess answers without a network.
type inProcess struct{ answer http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &recorder{header: http.Header{}}
	p.answer.ServeHTTP(w, r)
	return w.response(r), nil
}

// FuzzFinishLogin reads any query as the provider's answer, and any text as that of
// the token endpoint. Whoever gets in must be alice, with a code that was hers.
func FuzzFinishLogin(f *testing.F) {
	clock := authtest.NewClock()
	p := newProvider(f, clock)
	env := authtest.NewEnv(f, clock)
	mux := http.NewServeMux()
	env.HTTP = &http.Client{Transport: inProcess{mux}}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		issuer.Body("application/json", []byte(`{"issuer":"`+p.URL()+`","authorization_endpoint":"`+p.URL()+`/a","token_endpoint":"`+
			p.URL()+`/token","jwks_uri":"`+p.JWKSURL()+`"}`))(w, nil)
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) { issuer.Body("application/json", p.JWKS())(w, nil) })
	answers := make(chan string, 1)
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		select {
		case a := <-answers:
			if a != "" {
				issuer.Body("application/json", []byte(a))(w, nil)
				return
			}
		default:
		}
		if r.Form.Get("code") != "good" || r.Form.Get("code_verifier") != attempt().Verifier {
			oauthError(400, "invalid_grant")(w, r)
			return
		}
		issuer.Body("application/json", []byte(`{"access_token":"a","id_token":"`+p.Token("alice", asID(issuer.Claim("nonce", attempt().Nonce))...)+`"}`))(w, nil)
	})
	h := open(f, env, p, nil)
	f.Add("code=good&state=s&iss="+url.QueryEscape(p.URL()), "")
	f.Add("code=good&code=good", "")
	f.Add("error=access_denied&error_description=x", "")
	f.Add("code=x", `{"access_token":"a","id_token":"`+p.Token("alice", asID()...)+`"}`)
	f.Add("code=x", `{"access_token":"a","id_token":"eyJhbGciOiJub25lIn0.e30.","expires_in":"1"}`)
	f.Fuzz(func(t *testing.T, query, answer string) {
		values, _ := url.ParseQuery(query)
		answers <- answer
		l, err := h.FinishLogin(t.Context(), attempt(), values)
		select {
		case <-answers:
		default:
		}
		if (l == nil) == (err == nil) {
			t.Fatalf("%v and %v", l, err)
		}
		if err != nil {
			if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) || len(text) > 1000 {
				t.Fatalf("the error is %q", text)
			}
			return
		}
		if l.Person.Subject != "alice" || answer == "" && (len(values["code"]) != 1 || values.Get("code") != "good") {
			t.Fatalf("%q signed in by %q", l.Person.Subject, query)
		}
	})
}

// recorder is a ResponseWriter in memory.
type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func (r *recorder) response(to *http.Request) *http.Response {
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: io.NopCloser(strings.NewReader(r.body.String())), Request: to,
	}
}
