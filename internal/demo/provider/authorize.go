package provider

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// request is an authorisation request that is in order.
type request struct {
	redirect, state, nonce, challenge, scope string
	prompt                                   string
	maxAge                                   time.Duration // negative: not asked for
}

// refusal is an authorisation request that is not. Without a redirect nobody but
// the person can be told: an address that is not the client's gets nothing.
type refusal struct {
	redirect, state string
	code, text      string // RFC 6749 §4.1.2.1
}

// challenges are 32 bytes in base64url, as S256 makes them.
var challenges = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// understand judges an authorisation request (OpenID Connect Core §3.1.2.1).
func (p *Provider) understand(rawQuery string) (request, *refusal) {
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return request{}, &refusal{text: "The address could not be read."}
	}
	if c := q["client_id"]; len(c) != 1 || c[0] != p.o.ClientID {
		return request{}, &refusal{text: "The client_id is not that of the demo's client."}
	}
	if to := q["redirect_uri"]; len(to) != 1 || !slices.Contains(p.o.Redirects, to[0]) {
		return request{}, &refusal{text: "The redirect_uri is not one of the client's."}
	}
	r := request{
		redirect: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"),
		challenge: q.Get("code_challenge"), scope: q.Get("scope"), prompt: q.Get("prompt"), maxAge: -1,
	}
	no := func(code, text string) (request, *refusal) {
		return request{}, &refusal{r.redirect, r.state, code, text}
	}
	for name, values := range q {
		if len(values) > 1 {
			return no("invalid_request", strconv.Quote(name)+" is there twice")
		}
	}
	switch {
	case q.Has("request"):
		return no("request_not_supported", "request objects are not supported")
	case q.Has("request_uri"):
		return no("request_uri_not_supported", "request objects are not supported")
	case q.Get("response_type") != "code":
		return no("unsupported_response_type", "response_type must be code")
	case q.Has("response_mode") && q.Get("response_mode") != "query":
		return no("invalid_request", "response_mode must be query")
	case !slices.Contains(strings.Fields(r.scope), "openid"):
		return no("invalid_scope", "scope must have openid")
	case q.Get("code_challenge_method") != "S256" || !challenges.MatchString(r.challenge):
		return no("invalid_request", "PKCE with S256 is required")
	case !slices.Contains([]string{"", "none", "login", "select_account"}, r.prompt):
		return no("invalid_request", "prompt must be none, login or select_account")
	}
	if q.Has("max_age") {
		seconds, err := strconv.ParseUint(q.Get("max_age"), 10, 31)
		if err != nil {
			return no("invalid_request", "max_age must be a number of seconds")
		}
		r.maxAge = time.Duration(seconds) * time.Second
	}
	return r, nil
}

// authorize sends somebody who is signed in back at once, which is what single
// sign-on is, and shows everybody else the page.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q, refused := p.understand(r.URL.RawQuery)
	if refused != nil {
		p.refuse(w, r, refused)
		return
	}
	s, itself := p.sessionOf(r)
	fresh := itself != nil && (q.maxAge < 0 || p.o.Now().Sub(s.since) <= q.maxAge)
	switch {
	case fresh && (q.prompt == "" || q.prompt == "none"):
		p.grant(w, r, q, itself)
	case q.prompt == "none":
		p.refuse(w, r, &refusal{q.redirect, q.state, "login_required", "nobody is signed in"})
	default:
		p.pages.login(w, s.who.name, r.URL.RawQuery)
	}
}

// signIn is the page's form: it comes with the query of the page.
func (p *Provider) signIn(w http.ResponseWriter, r *http.Request) {
	q, refused := p.understand(r.URL.RawQuery)
	if refused != nil {
		p.refuse(w, r, refused)
		return
	}
	name := r.PostFormValue("person")
	if name == "" && r.PostFormValue("cancel") != "" {
		p.refuse(w, r, &refusal{q.redirect, q.state, "access_denied", "the person went away"})
		return
	}
	who, ok := personOf(name)
	if !ok {
		p.pages.problem(w, http.StatusBadRequest, "The demo knows alice and bob.")
		return
	}
	_, old := p.sessionOf(r)
	cookie, s, ended := p.store.signIn(old, who)
	if ended != nil {
		_ = p.tellClient(r.Context(), ended) // a client that is away finds out when it refreshes
	}
	p.setCookie(w, cookie)
	p.grant(w, r, q, s)
}

// grant sends the browser back with a code.
func (p *Provider) grant(w http.ResponseWriter, r *http.Request, q request, s *session) {
	code := p.store.newCode(&grant{session: s, redirect: q.redirect, challenge: q.challenge, nonce: q.nonce, scope: q.scope})
	p.sendBack(w, r, q.redirect, q.state, url.Values{"code": {code}})
}

// refuse tells the client, or the person where there is none.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, n *refusal) {
	if n.redirect == "" {
		p.pages.problem(w, http.StatusBadRequest, n.text)
		return
	}
	p.sendBack(w, r, n.redirect, n.state, url.Values{"error": {n.code}, "error_description": {n.text}})
}

// sendBack adds state, and iss: which provider it is that answers (RFC 9207).
func (p *Provider) sendBack(w http.ResponseWriter, r *http.Request, to, state string, answer url.Values) {
	answer.Set("iss", p.o.Issuer)
	if state != "" {
		answer.Set("state", state)
	}
	join := "?"
	if strings.Contains(to, "?") {
		join = "&"
	}
	http.Redirect(w, r, to+join+answer.Encode(), http.StatusSeeOther)
}
