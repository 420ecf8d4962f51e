package proxy

import (
	"net/http"
	"strings"

	"github.com/catflap/catflap/proxy/cat"
)

// panelPolicy holds the admin panel to its own scripts: it renders what people and
// the model write as HTML. The address of a picture that somebody has injected could
// carry a conversation away, so pictures come from here and from hosts that the
// operator has named: the plugins' thumbnails are elsewhere.
func panelPolicy(images []string) string {
	from := strings.Join(append([]string{"'self' data: blob:"}, images...), " ")
	return "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src " + from + "; media-src blob:; " +
		"font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// dressPanel makes an answer of the admin panel's fit for a browser. With a session
// each page plants the cookie that the panel's script wants to find: it says who
// is signed in and what to show, and is worth nothing without the session.
func (ex *exchange) dressPanel(h http.Header) {
	h["Content-Security-Policy"] = []string{ex.h.panelPolicy}
	h["X-Dns-Prefetch-Control"] = []string{"off"} // a name that is looked up carries something away, too
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Referrer-Policy"] = []string{"same-origin"}
	if ex.session == nil || !strings.HasPrefix(h.Get("Content-Type"), "text/html") {
		return
	}
	name := ex.user.Name
	if name == "" {
		name = ex.user.ID
	}
	token, err := ex.h.o.Sessions.DisplayToken(ex.session, name, ex.h.o.Policy.Held(ex.user).ByResource())
	if err != nil {
		ex.h.o.Log.Error("the admin panel's display token can't be made", "err", err.Error())
		return
	}
	planted := PanelCookie(ex.h.o.PublicURL) //nolint:gosec // the panel reads it; see PanelCookie
	planted.Value = token
	h.Add("Set-Cookie", planted.String())
	h["Cache-Control"] = []string{"no-store"}
}

// PanelCookie is the cookie of the display token, without a value. The path is the
// one that the panel's own logout deletes it by.
func PanelCookie(publicURL string) http.Cookie {
	return http.Cookie{ //nolint:gosec // not HttpOnly, since the panel reads it, and worth nothing alone
		Name: cat.PanelCookie, Path: cat.PanelPath, SameSite: http.SameSiteStrictMode, Secure: strings.HasPrefix(publicURL, "https://"),
	}
}
