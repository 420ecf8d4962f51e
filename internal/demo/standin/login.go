package standin

import (
	"html"
	"net/http"
	"net/url"
	"time"
)

// token answers POST /auth/token: a token for a name and a password.
func (c *Cat) token(e *exchange) {
	s, ok := e.model()
	if !ok {
		return
	}
	name, password := s.text("username", true), s.text("password", true)
	if !s.good(e) {
		return
	}
	a, ok := c.accountByPassword(name, password)
	if !ok {
		c.wait(c.options.FailedLogin)
		e.refuse()
		return
	}
	e.json(http.StatusOK, object{{"access_token", c.issue(a)}, {"token_type", "bearer"}})
}

// toLogin is what the admin pages answer to somebody without the cookie.
func (e *exchange) toLogin() {
	e.w.Header().Set("Location", "/auth/login?"+url.Values{"referer": {e.path}}.Encode())
	e.detail(http.StatusTemporaryRedirect, "Temporary Redirect")
}

func (c *Cat) loginPage(e *exchange) {
	referer, sent := lastValue(e.r.URL.RawQuery, "referer")
	if !sent {
		referer = "/admin/"
	}
	note := ""
	if retry, _ := lastValue(e.r.URL.RawQuery, "retry"); retry == "1" {
		note = "<p>Invalid Credentials</p>"
	}
	e.w.Header().Set("Set-Cookie", `ccat_user_token=""; expires=`+
		c.options.Now().UTC().Format(http.TimeFormat)+`; Max-Age=0; Path=/; SameSite=lax`)
	e.write(http.StatusOK, "text/html; charset=utf-8", []byte(`<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8"><title>Login</title></head><body>
<form action="/auth/login" method="POST">`+note+`
<input type="hidden" name="referer" value="`+html.EscapeString(referer)+`">
<input name="username"><input type="password" name="password"><button>Login</button>
</form></body></html>
`))
}

// login answers the form. It sends people wherever the form said: the real one
// does too.
func (c *Cat) login(e *exchange) {
	form := url.Values{}
	if e.isForm() {
		form, _ = url.ParseQuery(string(e.body))
	}
	var problems []object
	for _, name := range []string{"username", "password", "referer"} {
		if !form.Has(name) {
			problems = append(problems, problem("missing", "Field required", nil, "body", name))
		}
	}
	if len(problems) > 0 {
		e.invalid(problems...)
		return
	}
	a, ok := c.accountByPassword(form.Get("username"), form.Get("password"))
	if !ok {
		c.wait(c.options.FailedLogin)
		e.redirect(http.StatusSeeOther, "/auth/login?referer="+url.QueryEscape(form.Get("referer"))+"&retry=1")
		return
	}
	e.w.Header().Set("Set-Cookie", "ccat_user_token="+c.issue(a)+"; Path=/; SameSite=lax")
	e.redirect(http.StatusSeeOther, quoted(form.Get("referer")))
}

func (c *Cat) availablePermissions(e *exchange) { e.json(http.StatusOK, FullPermissions()) }

// wait takes its time unless the Cat stops.
func (c *Cat) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.stopped:
	}
}
