package authhandlers

import (
	"context"
	"net/http"
)

// Challenger is the ability of a handler that names its scheme in
// WWW-Authenticate (RFC 9110 §11.6.1). Handlers without it are asked for by
// "Bearer". A challenge holds no value of the request or of the token.
type Challenger interface{ Challenge() string }

// Ambient is the ability of a handler that knows whether browsers send the credential
// of a request by themselves, whichever page asks: by the client's address, a
// certificate, Basic, a cookie. What other sites' pages send with such a credential is
// refused. A handler that accepts requests without a look at their Credential says true.
// For handlers without the ability see [IsAmbient].
type Ambient interface {
	Ambient(r *Request) bool
}

// IsAmbient reports whether browsers send the credential by which h has accepted r by
// themselves. Where h does not say, it is so for what came without a Credential, and
// for the schemes that browsers know (RFC 7617, RFC 7616, RFC 4559).
func IsAmbient(h AuthHandler, r *Request) bool {
	if a, ok := h.(Ambient); ok {
		return a.Ambient(r)
	}
	if r.Credential == nil {
		return true
	}
	switch r.Credential.Scheme {
	case "basic", "digest", "negotiate", "ntlm":
		return true
	}
	return false
}

// Prober is the ability of a handler that can be unready: its identity provider
// has not answered yet, its keys are too old. The error is shown at /readyz and
// must hold no secret.
type Prober interface {
	Ready(ctx context.Context) error
}

// Noter is the ability of a handler that can have something to tell an operator although
// it serves: what it goes by is older than it should be. The note is shown at /readyz, and
// must hold no secret. Empty: there is nothing.
type Noter interface {
	Note() string
}

// Rejudger is the ability of a handler that can judge again somebody that it has let
// in: after a reload, and when keys have changed. Without it, a live socket goes on
// for as long as the handler is there and the permissions allow it.
type Rejudger interface {
	// Rejudge returns the person as the handler would let them in now, by the Evidence
	// that it has kept, or another of its type before it. It asks no network. A
	// *Rejection means that the credential is no longer accepted; any other error that
	// this can't be told yet: it is asked again when Generation has changed.
	Rejudge(u *AuthUserInfo) (*AuthUserInfo, error)
	// Generation changes whenever the answers of Rejudge may. It is asked every second
	// or so, and looks whether keys are due.
	Generation() uint64
}

// Mounter is the ability of a handler with pages of its own. They are served
// below /_catflap/, before authentication; each pattern is one of
// http.ServeMux and must begin, after its method, with that path.
type Mounter interface {
	Mount(mux *http.ServeMux)
}

// Revoker is the ability of a handler that can end somebody's access before the
// credential ends (a logout at the provider). The channel is closed with the
// handler.
type Revoker interface {
	Revocations() <-chan Revocation
}

// Revocation names whose access has ended: every field that is not empty must match.
type Revocation struct {
	Issuer, Subject, SessionID string
	// Session is the handle of one browser session of Catflap's own.
	Session string
	// Reason is a code for the audit log and the close reason of sockets.
	Reason Code
}

// Matches reports whether the revocation means u. An empty revocation means nobody. One
// of a subject's session means a token of that subject that names no session, too: it
// may be of any.
func (r Revocation) Matches(u *AuthUserInfo) bool {
	if r.Issuer == "" && r.Subject == "" && r.SessionID == "" && r.Session == "" {
		return false
	}
	subject := r.Subject == "" || r.Subject == u.Subject || u.Sub != nil && r.Subject == *u.Sub
	session := r.SessionID == "" || r.SessionID == u.SessionID || r.Subject != "" && u.SessionID == "" && u.Session == ""
	return subject && session &&
		(r.Issuer == "" || r.Issuer == u.Issuer) &&
		(r.Session == "" || r.Session == u.Session)
}
