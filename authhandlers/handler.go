package authhandlers

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// AuthHandler decides who a request is. It is called by many goroutines at once.
type AuthHandler interface {
	// Authenticate returns the person whose credential the request carries.
	//
	//   - An error that wraps ErrNoCredential means that the request carries
	//     nothing which this handler could judge: the next handler is asked.
	//   - A *Rejection means that the credential is this handler's and is not
	//     accepted. The chain ends; the client gets 401.
	//   - Any other error is a fault on our side (an identity provider that can't
	//     be reached): the client gets 503, never 401 and never access.
	//
	// It must not change the request and must not keep it.
	Authenticate(ctx context.Context, r *Request) (*AuthUserInfo, error)
}

// ErrNoCredential is a handler's answer to a request that carries no credential
// of its kind. Wrap it to say in the log why the credential was not taken.
var ErrNoCredential = errors.New("no credential for this handler")

// ErrBusy is a handler's answer when too many verifications wait already; the
// client gets 503 with Retry-After.
var ErrBusy = errors.New("too many verifications under way")

// ErrSetup is wrapped by a fault that no waiting mends: somebody has to change the
// configuration, or what is registered at the provider. People are told so.
var ErrSetup = errors.New("the set-up has to be changed")

// Kind says how the request came.
type Kind uint8

// The kinds of request.
const (
	KindHTTP      Kind = iota // a plain HTTP request
	KindWebSocket             // the handshake of a WebSocket
)

// Carrier says where in the request a credential was found.
type Carrier string

// The carriers, as they are named in the audit log.
const (
	CarrierAuthorization Carrier = "authorization"
	CarrierLegacyHeader  Carrier = "access_token"
	CarrierQuery         Carrier = "query"
	CarrierSubprotocol   Carrier = "subprotocol"
	CarrierSession       Carrier = "session" // the cookie of a browser session
	CarrierTicket        Carrier = "ticket"  // a ticket for one WebSocket
)

// Credential is what the client presented. Its value never belongs in a log, a
// metric, an error or a trace.
type Credential struct {
	Scheme  string // in lower case; "bearer" for each carrier that names no scheme
	Value   string // never empty
	Carrier Carrier
}

// Bearer reports whether the credential is a bearer token (RFC 6750).
func (c *Credential) Bearer() bool { return c != nil && c.Scheme == "bearer" }

// Request is what a handler sees of a request. There is no ResponseWriter: the
// proxy alone answers.
type Request struct {
	// Credential is the one credential of the request, or nil. The same token in
	// several carriers is one; two different ones never get as far as a handler.
	Credential *Credential
	// Carried says that the request has a credential in a handler's own carrier
	// ([Presenter]). Nobody who has one is a guest.
	Carried bool
	// HTTP is the request as it arrived, cookies included. It must not be changed.
	HTTP *http.Request
	// ClientIP is the peer's address, or the one that a trusted proxy vouches for.
	ClientIP netip.Addr
	Kind     Kind
	// Current is the person who sends a new token over an open socket, or nil. The request
	// then has no ClientIP; a share of something is that person's.
	Current *AuthUserInfo
	// Lasting says that something stays open with the answer, or is made of it: a
	// socket, a ticket. The person must then carry Evidence ([Rejudger]).
	Lasting bool
	// OtherCredential says that the request carries what may be meant as a credential
	// and is not in Credential: a token in a query that is not read, a client's
	// certificate, the cookie of a session. No [Host] accepts such a request.
	OtherCredential bool
	// SetCookie has the answer set the handler's cookie ([Env.Cookie]) to a value of
	// ASCII letters, digits, - and _, for so long; 0 deletes it. Its attributes are the
	// proxy's. It is nil where no answer could carry one, and does nothing after
	// Authenticate has returned.
	SetCookie func(name, value string, life time.Duration)
}

// AuthUserInfo is a person (or a service) that a handler has verified. It is
// shared between requests: nobody changes it after the chain has returned it.
type AuthUserInfo struct {
	// ID is the user id towards the Cat. The chain alone sets it.
	ID string
	// Name is for people to read. It decides nothing.
	Name string
	// Issuer and Subject name the person (OIDC Core §5.7): the pair, and nothing
	// else, makes the ID.
	Issuer, Subject string
	// Sub is the issuer's sub, where Subject is another claim: logouts name it. A pointer,
	// since nearly everybody has none, and all are remembered.
	Sub *string
	// Handler is the name of the handler, set by the chain.
	Handler string
	// Groups are the exact values of the configured claim.
	Groups []string
	// Claims holds the values of the claims that the configuration grants by
	// ([Env.Claims]), by their configured path.
	Claims map[string][]string
	// Permissions, if not nil, are instead of everything that the configuration
	// grants (an API key with permissions of its own). own: before one of the base set
	// means that it is for the person's own data.
	Permissions []string
	// IssuedAt is when the credential was made, by the issuer's clock, in Unix seconds. 0
	// means that nobody knows. A logout that names a subject means what was made before.
	IssuedAt int64
	// Expiry is the moment from which the credential is no longer accepted, leeway
	// included. The zero time means that it never ends by itself.
	Expiry time.Time
	// SessionID is the issuer's name of the session (sid), if there is one.
	SessionID string
	// Session is the handle of Catflap's own browser session by which the person
	// came; empty for people who came with a token. It is no secret.
	Session string
	// Evidence is what a Rejudger keeps of the credential of a Lasting request, to
	// judge it again. It is never the credential, and nobody but the handler reads it. It
	// is text in UTF-8: tickets hold it as JSON.
	Evidence string
	// Extra is for handlers and their own tools; Catflap does not read it.
	Extra map[string]any
}

// Key names the person that this is for: the issuer, the subject and the id at the Cat
// together, since a configuration can give one id to another issuer's person. No two
// people have the same key, whatever their subjects hold.
func (u *AuthUserInfo) Key() string {
	return strconv.Itoa(len(u.Issuer)) + "," + strconv.Itoa(len(u.Subject)) + "," + u.Issuer + u.Subject + u.ID
}
