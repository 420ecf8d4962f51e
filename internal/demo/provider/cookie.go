package provider

import "net/http"

// cookieName is the provider's own: browsers tell hosts apart, not ports.
const cookieName = "demo_provider"

func (p *Provider) setCookie(w http.ResponseWriter, value string) {
	c := &http.Cookie{Name: cookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// sessionOf is the session of the browser; itself is nil if there is none.
func (p *Provider) sessionOf(r *http.Request) (copied session, itself *session) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, nil
	}
	return p.store.session(c.Value)
}
