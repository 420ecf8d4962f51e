package oidc

import (
	"fmt"

	"github.com/catflap/catflap/authhandlers"
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

// setup is a fault that stays until somebody changes the configuration, or what is
// registered at the provider.
func setup(format string, args ...any) error {
	return fmt.Errorf("%w: %w", authhandlers.ErrSetup, fmt.Errorf(format, args...))
}
