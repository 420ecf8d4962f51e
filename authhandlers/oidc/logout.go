package oidc

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

const (
	// logoutEvent marks a logout token (Back-Channel Logout §2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// logoutAge is how old a logout token may be. Providers give them two minutes.
	logoutAge = 5 * time.Minute
	// maxNameBytes bounds a jti and a sid, which the proxy remembers.
	maxNameBytes = 512
	// maxHintBytes bounds the hint: servers take addresses of about 8 KiB. Without one
	// the provider knows by client_id who asks, and may ask the person.
	maxHintBytes = 6 << 10
)

// LogoutURL is where the browser ends the session at the provider, if that has been
// found and has such a place.
func (h *handler) LogoutURL(l *authhandlers.Login, returnTo, state string) string {
	m := h.discovery.current.Load()
	if m == nil || m.endSession == "" {
		return ""
	}
	u, err := url.Parse(m.endSession)
	if err != nil {
		return ""
	}
	q := url.Values{"client_id": {h.clientID}}
	if l != nil && l.IDToken != "" && len(l.IDToken) <= maxHintBytes {
		q.Set("id_token_hint", l.IDToken)
	}
	if returnTo != "" {
		q.Set("post_logout_redirect_uri", returnTo)
		if state != "" {
			q.Set("state", state)
		}
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += q.Encode()
	return u.String()
}

// ReadLogoutToken verifies a logout token (Back-Channel Logout §2.6).
func (h *handler) ReadLogoutToken(ctx context.Context, token string) (*authhandlers.Logout, error) {
	v, err := h.reader.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := kindOfLogout(v); err != nil {
		return nil, err
	}
	aud, err := jwt.Audiences(v.Claims)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(aud, h.clientID) {
		return nil, reject(authhandlers.CodeWrongAudience, "the token is not meant for this service", "aud is %s; wanted: client_id, %s", jwt.QuoteAll(aud), jwt.Quote(h.clientID))
	}
	l := &authhandlers.Logout{}
	if l.IssuedAt, l.Expiry, err = h.logoutTimes(v.Claims); err != nil {
		return nil, err
	}
	if l.TokenID = text(v.Claims, "jti"); l.TokenID == "" || len(l.TokenID) > maxNameBytes {
		return nil, invalid("jti is missing, empty, too long or no string")
	}
	if l.Revocation, err = h.whose(v.Claims); err != nil {
		return nil, err
	}
	return l, nil
}

// kindOfLogout refuses what is no logout token, so that none of the provider's other
// tokens ends a session.
func kindOfLogout(v *jwt.Verified) error {
	switch strings.TrimPrefix(strings.ToLower(v.Type), "application/") {
	case "", "jwt", "logout+jwt":
	default:
		return wrongType("typ of the header is %s", jwt.Quote(v.Type))
	}
	if said, ok := v.Claims.Get("typ"); ok { // Keycloak's
		if kind, ok := said.Str(); !ok || !strings.EqualFold(kind, "logout") {
			return wrongType("typ is %s", jwt.Quote(kind))
		}
	}
	if _, ok := v.Claims.Get("nonce"); ok {
		return wrongType("a logout token has no nonce") // §2.4: or an ID token could pass for one
	}
	all, _ := v.Claims.Get("events")
	events, _ := all.Object()
	event, _ := events.Get(logoutEvent)
	if _, ok := event.Object(); !ok {
		return wrongType("events does not hold the logout event, with an object")
	}
	return nil
}

func (h *handler) logoutTimes(claims strictjson.Object) (issued, expiry time.Time, err error) {
	issued, ok, err := jwt.Moment(claims, "iat")
	if err != nil {
		return issued, expiry, err
	}
	if !ok {
		return issued, expiry, invalid("iat is missing")
	}
	// Later drafts and the standard itself require exp; older providers send none.
	expiry, ok, err = jwt.Moment(claims, "exp")
	if err != nil {
		return issued, expiry, err
	}
	now, latest := h.now(), issued.Add(logoutAge)
	if !ok || expiry.After(latest) {
		expiry = latest
	}
	switch {
	case issued.After(now.Add(h.leeway)):
		return issued, expiry, reject(authhandlers.CodeTokenNotYetValid, "the token is not valid yet", "%s", jwt.Off("iat is ahead", issued.Sub(now), h.leeway))
	case !now.Before(expiry.Add(h.leeway)):
		return issued, expiry, reject(authhandlers.CodeTokenExpired, "the token has expired", "%s", jwt.Off("exp has passed, or iat is more than 5 minutes ago", now.Sub(expiry), h.leeway))
	}
	return issued, expiry.Add(h.leeway), nil
}

// whose reads sub and sid, of which one must be there.
func (h *handler) whose(claims strictjson.Object) (authhandlers.Revocation, error) {
	r := authhandlers.Revocation{Issuer: h.issuer}
	for _, c := range []struct {
		name string
		to   *string
	}{{"sub", &r.Subject}, {"sid", &r.SessionID}} {
		v, ok := claims.Get(c.name)
		if !ok {
			continue
		}
		if *c.to, ok = v.Str(); !ok || *c.to == "" || len(*c.to) > authhandlers.MaxSubjectBytes {
			return authhandlers.Revocation{}, invalid("%s is empty, too long or no string", c.name)
		}
	}
	if !h.subject {
		r.Subject = "" // people are known by another claim here, which is not in the token
	}
	if r.Subject == "" && r.SessionID == "" {
		return authhandlers.Revocation{}, invalid("neither sid nor, with user_id sub, sub")
	}
	return r, nil
}
