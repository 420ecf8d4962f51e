package provider

import (
	"net/http"
	"strings"
)

// userinfo answers the holder of an access token (OpenID Connect Core §5.3). A
// token of a session is worth nothing once that has ended.
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	claims, err := p.keys.read(token, accessType, p.o.Audience, false)
	if err != nil {
		refuseToken(w)
		return
	}
	if sid, ofSession := claims["sid"].(string); ofSession && !p.store.known(sid) {
		refuseToken(w)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"sub": claims["sub"], "name": claims["name"], "groups": claims["groups"]})
}

func refuseToken(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	w.WriteHeader(http.StatusUnauthorized)
}
