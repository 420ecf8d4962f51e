package page

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// response is one page to show.
type response struct {
	status      int
	template    string
	data        any
	form        bool // it has one
	formOrigins []string
}

// show writes the page, or, if it can't be made, a plain 500: never half of it.
// It leaves headers that the caller has set, such as Set-Cookie and Retry-After.
func (p *Pages) show(w http.ResponseWriter, res response) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", res.policy())
	h.Set("Referrer-Policy", res.referrer())

	var b bytes.Buffer
	err := p.templates[res.template].Execute(&b, struct {
		Site site
		Page any
	}{p.site, res.data})
	if err != nil { // the error may quote what is shown: it is told to nobody
		res.status = http.StatusInternalServerError
		b.Reset()
		b.WriteString("Something went wrong, and the page that says what could not be made either.\n")
		h.Set("Content-Type", "text/plain; charset=utf-8")
	} else {
		h.Set("Content-Type", "text/html; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(res.status)
	_, _ = w.Write(b.Bytes()) // the browser has gone: nobody to tell
}

// policy is the page's Content-Security-Policy.
func (res response) policy() string {
	action := "'none'"
	if res.form {
		action = strings.Join(append([]string{"'self'"}, sources(res.formOrigins)...), " ")
	}
	return "default-src 'none'; style-src 'self'; img-src 'self'; form-action " + action + "; base-uri 'none'; frame-ancestors 'none'"
}

// referrer keeps the page's address, which may hold codes, from everybody. Where
// there is a form, our own origin may know it: under no-referrer, browsers write
// "Origin: null" (Fetch, "append a request Origin header"), and a POST could not
// prove that it comes from here.
func (res response) referrer() string {
	if res.form {
		return "same-origin"
	}
	return "no-referrer"
}
