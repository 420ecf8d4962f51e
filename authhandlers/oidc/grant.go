package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// exchange spends a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
func (h *handler) exchange(ctx context.Context, m *metadata, a authhandlers.LoginAttempt, code string) (*grant, error) {
	got, err := h.ask(ctx, m, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.RedirectURI}, "code_verifier": {a.Verifier},
	})
	r, refused := errors.AsType[*refusal](err)
	switch {
	case err == nil:
		return got, nil
	case refused && r.setup():
		return nil, setup("the code can't be exchanged: %w", err)
	case refused && r.ends():
		return nil, failed("the provider does not take the code: %w", err)
	}
	return nil, fmt.Errorf("the code can't be exchanged: %w", err)
}

// renew spends a refresh token (RFC 6749 §6).
func (h *handler) renew(ctx context.Context, m *metadata, refreshToken string) (*grant, error) {
	got, err := h.ask(ctx, m, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}})
	r, refused := errors.AsType[*refusal](err)
	switch {
	case refused && r.ends():
		return nil, ended("the provider does not renew it: %w", err)
	case refused && r.us():
		return nil, setup("the login can't be renewed: %w", err)
	case err != nil:
		return nil, fmt.Errorf("the login can't be renewed: %w", err)
	}
	if got.refresh == "" {
		got.refresh = refreshToken // RFC 6749 §6
	}
	return got, nil
}

func ended(format string, args ...any) error {
	return reject(authhandlers.CodeLoginEnded, "the sign-in has ended; sign in again", format, args...)
}

// refusal is what the token endpoint said instead of tokens.
type refusal struct {
	status int
	code   string // RFC 6749 §5.2, the provider's text; "" where the answer has none
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("the provider answered with status %d", r.status)
	if r.code != "" {
		text += " " + jwt.Quote(r.code)
	}
	return text
}

// ends reports that the provider refuses the grant, and so the person, in whatever
// words and with whatever page around them. That it refuses us, or asks us to come
// later, are faults: nobody loses a session by them.
func (r *refusal) ends() bool {
	switch {
	case r.us(), r.code == "temporarily_unavailable", r.code == "server_error", r.code == "slow_down",
		r.status == 408, r.status == 429, r.status >= 500:
		return false
	}
	return r.status >= 400 || r.status >= 200 && r.status < 300 // an error in an answer of success is one
}

// us reports that it does not know us: a wrong secret, or client id. Keycloak says
// unauthorized_client to a wrong secret, with 401.
func (r *refusal) us() bool {
	return r.code == "invalid_client" || r.code == "unauthorized_client" && r.status == 401
}

// setup reports what stays as it is until somebody changes the registration or the
// configuration.
func (r *refusal) setup() bool {
	switch r.code {
	case "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target":
		return true
	}
	return r.us()
}
