package authhandlers

import "fmt"

// Code is the stable name of a reason. It is told to the client, counted, and
// written to the audit log, so it never holds a value from the request.
type Code string

// The codes of a refused credential. Each is answered with 401. What each means, and what
// the operator does, stands in the table of package proxy/refusals.
const (
	CodeMalformedToken      Code = "malformed_token" // no well-formed token (RFC 7515 §3.1, RFC 7519 §7.2)
	CodeTokenTooLarge       Code = "token_too_large"
	CodeAlgorithmNotAllowed Code = "algorithm_not_allowed" // RFC 8725 §3.1
	CodeUnknownKey          Code = "unknown_key"           // no key of the issuer fits
	CodeBadSignature        Code = "bad_signature"         // the signature does not verify
	CodeWrongIssuer         Code = "wrong_issuer"          // no handler takes this issuer
	CodeWrongAudience       Code = "wrong_audience"        // RFC 7519 §4.1.3, RFC 8725 §3.9
	CodeWrongTokenType      Code = "wrong_token_type"      // an ID, refresh or logout token (RFC 8725 §3.11)
	CodeTokenExpired        Code = "token_expired"         // RFC 7519 §4.1.4
	CodeTokenNotYetValid    Code = "token_not_yet_valid"   // RFC 7519 §4.1.5
	CodeTokenLifetime       Code = "token_lifetime_too_long"
	CodeInvalidClaim        Code = "invalid_claim"       // a claim is missing or of the wrong type
	CodeInvalidUserID       Code = "invalid_user_id"     // the subject can't be made a user id
	CodeClientNotAllowed    Code = "client_not_allowed"  // azp or client_id is not listed
	CodeBearerNotAccepted   Code = "bearer_not_accepted" // the issuer's people sign in; its tokens are not taken
	CodeGroupsOverage       Code = "groups_overage"      // the token has too many groups to name them
	CodeTokenInactive       Code = "token_inactive"      // its issuer says that it is not active (RFC 7662 §2.2)
	CodeScopeMissing        Code = "scope_missing"       // the token was given without a scope that is needed
	CodeNotVouchedFor       Code = "not_vouched_for"     // the service that knows the people does not know this one
	CodeLoginDenied         Code = "login_denied"        // the person or the provider has said no
	CodeLoginFailed         Code = "login_failed"        // the provider's answer to a login is not in order
	CodeLoginEnded          Code = "login_ended"         // the provider does not renew the login
	CodeCertificate         Code = "certificate_refused" // the client certificate is not accepted
	CodeForwarded           Code = "forwarded_refused"   // the identity headers of a front proxy are not in order
	CodeUnknownAPIKey       Code = "unknown_api_key"     // no API key of the file
	CodeRevokedAPIKey       Code = "revoked_api_key"     // somebody has revoked the API key
	CodeAPIKeyPlace         Code = "api_key_not_here"    // the API key is not for this address, carrier or client
	CodeUserIDHeader        Code = "user_id_header"      // a key that acts for others came without one good user_id
	CodeWrongPassword       Code = "wrong_password"      // nobody has this name and password
	CodeUserGone            Code = "user_gone"           // the Cat has no such user any more
	CodeUnclaimed           Code = "unknown_credential"  // no handler claims the credential
	CodeMissingCredential   Code = "missing_credential"  // nothing was presented
	CodeGuestsFull          Code = "guests_full"         // each place for a guest is taken (FullError: 429, 503)
	CodeTooManyGuests       Code = "too_many_guests"     // too many new guests in a short time (FullError)
)

// Rejection says that the credential was this handler's, and is refused.
type Rejection struct {
	// Code is the reason, for machines.
	Code Code
	// Hint is one sentence for the person at the client. It holds no value from
	// the request, the token or the configuration.
	Hint string
	// Err is for the log only. It holds no credential either.
	Err error
	// Elsewhere, if not 0, says that the credential is of this handler's issuer and not
	// for this handler, before anything was verified: the issuer's other handlers are
	// asked ([Sibling]). If it is for none of them, the refusal with the least Elsewhere
	// is told, since it came nearest.
	Elsewhere int
}

// Error says the code and the cause, for the log.
func (r *Rejection) Error() string {
	if r.Err == nil {
		return string(r.Code)
	}
	return fmt.Sprintf("%s: %v", r.Code, r.Err)
}

// Unwrap returns the cause.
func (r *Rejection) Unwrap() error { return r.Err }

// Reject makes a Rejection with a cause in the manner of fmt.Errorf.
func Reject(code Code, hint, format string, args ...any) *Rejection {
	return &Rejection{Code: code, Hint: hint, Err: fmt.Errorf(format, args...)}
}
