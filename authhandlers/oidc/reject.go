package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
)

func reject(code authhandlers.Code, hint, format string, args ...any) error {
	return authhandlers.Reject(code, hint, format, args...)
}

// failed refuses the provider's answer to a login.
func failed(format string, args ...any) error {
	return reject(authhandlers.CodeLoginFailed, "the sign-in could not be completed; try again", format, args...)
}

func invalid(format string, args ...any) error {
	return reject(authhandlers.CodeInvalidClaim, "a claim of the token is missing or of the wrong type", format, args...)
}

func wrongType(format string, args ...any) error {
	return reject(authhandlers.CodeWrongTokenType, "the provider sent a token of another kind", format, args...)
}

// refusal is what the token endpoint said.
type refusal struct {
	status int
	code   string // RFC 6749 §5.2, the provider's text
}

// refused takes from an error of x/oauth2 what may be told. The library's own text
// holds the provider's answer, which may repeat what we sent.
func refused(err error) (refusal, bool) {
	r, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return refusal{}, false
	}
	return refusal{r.Response.StatusCode, r.ErrorCode}, true
}

// ends reports that the provider refuses the grant, and so the person. That it
// refuses us (invalid_client; Keycloak says unauthorized_client, with 401, to a wrong
// secret), that we ask too often, and what we don't know, are faults: nobody loses a
// session by them.
func (r refusal) ends() bool {
	return r.status >= 400 && r.status < 500 && r.status != http.StatusUnauthorized && r.status != http.StatusTooManyRequests &&
		slices.Contains([]string{
			"invalid_grant", "unauthorized_client", "access_denied",
			"interaction_required", "login_required", "consent_required", // Entra ID: the person has to do something
		}, r.code)
}

// fault makes an error of x/oauth2 or net/http fit for the log.
func fault(doing string, err error) error {
	if r, ok := refused(err); ok {
		return &faultError{doing: doing, status: r.status, code: r.code}
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return &faultError{doing: doing, cause: u.Err}
	}
	return &faultError{doing: doing, cause: err}
}

// faultError says what failed on the way to the provider.
type faultError struct {
	doing  string
	status int
	code   string
	cause  error
}

func (e *faultError) Error() string {
	switch {
	case e.status == 0:
		return e.doing + ": " + e.cause.Error()
	case e.code == "":
		return e.doing + ": the provider answered " + http.StatusText(e.status)
	}
	return e.doing + ": the provider answered " + http.StatusText(e.status) + " " + jwt.Quote(e.code)
}

func (e *faultError) Unwrap() error { return e.cause }
