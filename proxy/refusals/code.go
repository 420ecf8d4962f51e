package refusals

import "github.com/catflap/catflap/authhandlers"

// The codes of refusals that no handler makes.
const (
	BadRequestTarget             authhandlers.Code = "bad_request_target"
	BadCredential                authhandlers.Code = "bad_credential"
	BadHandshake                 authhandlers.Code = "bad_websocket_handshake"
	BadRequestBody               authhandlers.Code = "bad_request_body"
	BodyTooLarge                 authhandlers.Code = "body_too_large"
	BodyTimeout                  authhandlers.Code = "body_timeout"
	TooManyRequests              authhandlers.Code = "too_many_requests"
	TooManyHeaders               authhandlers.Code = "too_many_headers"
	MethodNotAllowed             authhandlers.Code = "method_not_allowed"
	PermissionDenied             authhandlers.Code = "permission_denied"
	OriginNotAllowed             authhandlers.Code = "origin_not_allowed"
	NotFound                     authhandlers.Code = "not_found"
	CatRefused                   authhandlers.Code = "cat_refused" // the Cat takes no credential of Catflap's
	NoServiceAccount             authhandlers.Code = "no_service_account"
	UnknownScheme                authhandlers.Code = "unknown_scheme"
	NotReady                     authhandlers.Code = "not_ready"
	AuthenticationUnavailable    authhandlers.Code = "authentication_unavailable"
	Busy                         authhandlers.Code = "busy"
	CatUnreachable               authhandlers.Code = "cat_unreachable"
	CatDown                      authhandlers.Code = "cat_down" // one of several
	CatTimeout                   authhandlers.Code = "cat_timeout"
	CatRefusedSocket             authhandlers.Code = "cat_refused_socket" // the Cat opens no socket
	InternalError                authhandlers.Code = "internal_error"
	TooManySockets               authhandlers.Code = "too_many_sockets"
	Stopping                     authhandlers.Code = "stopping"
	SessionEnded                 authhandlers.Code = "session_ended"
	DisplayTokenOfAnotherSession authhandlers.Code = "display_token_of_another_session"
	TicketInvalid                authhandlers.Code = "ticket_invalid"
	CrossSiteRequest             authhandlers.Code = "cross_site_request"
	ClientLeft                   authhandlers.Code = "client_left"
	BrokenOff                    authhandlers.Code = "broken_off"
	DocumentsUnavailable         authhandlers.Code = "documents_unavailable"
	GuestWithoutCookies          authhandlers.Code = "guest_without_cookies"
)

// The codes of what goes wrong on the way in and out.
const (
	LoginAttemptInvalid          authhandlers.Code = "login_attempt_invalid"
	LoginAttemptOfAnotherBrowser authhandlers.Code = "login_attempt_of_another_browser"
	LoginAttemptExpired          authhandlers.Code = "login_attempt_expired"
	LoginAttemptUsed             authhandlers.Code = "login_attempt_used"
	LoginLoop                    authhandlers.Code = "login_loop"
	TooManySignIns               authhandlers.Code = "too_many_sign_ins" // also of names and passwords that programs send
	TooManyLogoutTokens          authhandlers.Code = "too_many_logout_tokens"
	ProviderUnavailable          authhandlers.Code = "provider_unavailable"
	ProviderSetup                authhandlers.Code = "provider_setup"
	UnknownProvider              authhandlers.Code = "unknown_provider"
	SessionsUnavailable          authhandlers.Code = "sessions_unavailable" // of anything that the store keeps from being answered
	CrossOrigin                  authhandlers.Code = "cross_origin"
	LogoutTokenInvalid           authhandlers.Code = "logout_token_invalid"
	LoggedOutMeanwhile           authhandlers.Code = "logged_out_meanwhile"
	BadLoginForm                 authhandlers.Code = "bad_login_form"
	SignedOut                    authhandlers.Code = "signed_out" // a logout means the token
)
