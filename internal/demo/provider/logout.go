package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// logoutLife is how long a logout token can be used.
const logoutLife = 2 * time.Minute

// endSession ends the session of the browser (RP-Initiated Logout §2). A client
// that shows the ID token of this very session is believed; in every other case
// the person is asked, and the form that answers comes back as a POST.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	hinted, to, problem := p.understandLogout(r.URL.RawQuery)
	if problem != "" {
		p.pages.problem(w, http.StatusBadRequest, problem)
		return
	}
	told := true
	if s, itself := p.sessionOf(r); itself != nil {
		if r.Method != http.MethodPost && hinted != s.sid {
			p.pages.askLogout(w, s.who.name, r.URL.RawQuery)
			return
		}
		if p.store.end(itself) {
			told = p.tellClient(r.Context(), itself) == nil
		}
	}
	p.setCookie(w, "")
	if to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	p.pages.signedOut(w, told)
}

// understandLogout returns the session that the hint names, and where to go then.
func (p *Provider) understandLogout(rawQuery string) (sid, to, problem string) {
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return "", "", "The address could not be read."
	}
	for _, values := range q {
		if len(values) > 1 {
			return "", "", "A parameter is there twice."
		}
	}
	if q.Has("client_id") && q.Get("client_id") != p.o.ClientID {
		return "", "", "The client_id is not that of the demo's client."
	}
	hint := q.Get("id_token_hint")
	if hint != "" {
		claims, err := p.keys.read(hint, idType, p.o.ClientID, true)
		if err != nil {
			return "", "", "The id_token_hint is not an ID token of this provider for this client."
		}
		sid, _ = claims["sid"].(string)
	}
	to = q.Get("post_logout_redirect_uri")
	if to == "" {
		return sid, "", ""
	}
	if hint == "" || !slices.Contains(p.o.PostLogout, to) {
		return "", "", "The post_logout_redirect_uri needs an id_token_hint and is one of the client's."
	}
	if state := q.Get("state"); state != "" {
		join := "?"
		if strings.Contains(to, "?") {
			join = "&"
		}
		to += join + url.Values{"state": {state}}.Encode()
	}
	return sid, to, ""
}

// tellClient sends the logout token (Back-Channel Logout §2.5). The browser may
// leave in that time: the client is told all the same.
func (p *Provider) tellClient(ctx context.Context, s *session) error {
	token, err := p.keys.sign(logoutType, logoutLife, jwt.MapClaims{
		"aud": p.o.ClientID, "sub": s.who.name, "sid": s.sid,
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
	})
	if err != nil {
		return err
	}
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, p.o.BackChannel, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.o.Client.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // the status is all that counts
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the client answered the logout token with %d", resp.StatusCode)
	}
	return nil
}
