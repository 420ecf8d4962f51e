package provider

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// plainLife is how long a token for the command line lives: enough to play, and it
// ends by itself.
const plainLife = 8 * time.Hour

// token is the token endpoint (RFC 6749 §3.2).
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if !p.isClient(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="demo"`)
		oauthError(w, http.StatusUnauthorized, "invalid_client", "client_secret_basic is required")
		return
	}
	if err := r.ParseForm(); err != nil || r.URL.RawQuery != "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "the form could not be read")
		return
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			oauthError(w, http.StatusBadRequest, "invalid_request", "a parameter is there twice")
			return
		}
		if name == "client_secret" {
			oauthError(w, http.StatusBadRequest, "invalid_request", "one way of authentication at a time")
			return
		}
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		g, s, ok := p.store.takeCode(r.PostForm.Get("code"))
		if !ok || r.PostForm.Get("redirect_uri") != g.redirect || !answers(g.challenge, r.PostForm.Get("code_verifier")) {
			oauthError(w, http.StatusBadRequest, "invalid_grant", "the code is not good")
			return
		}
		p.writeTokens(w, g, s, g.nonce)
	case "refresh_token":
		g, s, ok := p.store.takeRefresh(r.PostForm.Get("refresh_token"))
		if !ok {
			oauthError(w, http.StatusBadRequest, "invalid_grant", "the refresh token is not good")
			return
		}
		p.writeTokens(w, g, s, "") // without nonce: OpenID Connect Core §12.2
	default:
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "authorization_code or refresh_token")
	}
}

// isClient checks the secret: both parts are form-encoded (RFC 6749 §2.3.1).
func (p *Provider) isClient(r *http.Request) bool {
	id, secret, _ := r.BasicAuth()
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	return err1 == nil && err2 == nil && id == p.o.ClientID &&
		subtle.ConstantTimeCompare([]byte(secret), []byte(p.o.ClientSecret)) == 1
}

// answers reports whether the verifier is the one of the challenge (RFC 7636 §4.6).
func answers(challenge, verifier string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:]) == challenge
}

func (p *Provider) writeTokens(w http.ResponseWriter, g *grant, s session, nonce string) {
	access, err := p.access(s.who, tokenLife, p.o.ClientID, jwt.MapClaims{"sid": s.sid, "scope": g.scope})
	if err != nil {
		oauthError(w, http.StatusInternalServerError, "server_error", "no token could be signed")
		return
	}
	claims := jwt.MapClaims{
		"aud": p.o.ClientID, "sub": s.who.name, "name": s.who.name, "groups": s.who.groups,
		"sid": s.sid, "auth_time": s.since.Unix(), "at_hash": halfHash(access),
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	id, err := p.keys.sign(idType, tokenLife, claims)
	if err != nil {
		oauthError(w, http.StatusInternalServerError, "server_error", "no token could be signed")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(tokenLife / time.Second),
		"id_token": id, "refresh_token": p.store.newRefresh(g), "scope": g.scope,
	})
}

// access signs an access token (RFC 9068).
func (p *Provider) access(who person, life time.Duration, client string, claims jwt.MapClaims) (string, error) {
	claims["aud"], claims["sub"], claims["name"], claims["groups"] = p.o.Audience, who.name, who.name, who.groups
	claims["client_id"] = client
	return p.keys.sign(accessType, life, claims)
}

// plainToken answers /token/alice with an access token as plain text, so that a
// shell can take it as it is.
func (p *Provider) plainToken(w http.ResponseWriter, r *http.Request) {
	who, ok := personOf(r.PathValue("name"))
	if !ok {
		http.Error(w, "the demo knows alice and bob", http.StatusNotFound)
		return
	}
	token, err := p.access(who, plainLife, "curl", jwt.MapClaims{})
	if err != nil {
		http.Error(w, "no token could be signed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(token)) // the client has gone: nobody to tell
}

func oauthError(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // as above
}
