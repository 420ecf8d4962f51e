package authhandlers

import (
	"context"
	"net/url"
	"time"
)

// LoginProvider is the ability of a handler through which people sign in in a
// browser. It speaks to the identity provider and keeps nothing: cookies, pages
// and sessions are the proxy's, so that a handler never sees a ResponseWriter.
//
// Of its errors, a *Rejection means that the provider or the rules refuse this
// person; any other is a fault, such as a provider that can't be reached.
type LoginProvider interface {
	// LoginIssuer is whose people sign in, as AuthUserInfo.Issuer has it.
	LoginIssuer() string
	// LoginTitle is what people read on the page that lets them choose.
	LoginTitle() string
	// OwnCallback reports that the redirect URI is a path of this handler alone.
	OwnCallback() bool
	// BeginLogin returns the address at the provider to which the browser goes.
	BeginLogin(ctx context.Context, a LoginAttempt) (string, error)
	// FinishLogin verifies the provider's answer to the attempt, which is the query
	// of the callback, and returns who has signed in. That the answer's state is the
	// attempt's has been verified before.
	FinishLogin(ctx context.Context, a LoginAttempt, answer url.Values) (*Login, error)
	// RefreshLogin asks the provider again who this is and what they are. The
	// refresh token of old is spent, whatever comes of it. A *Rejection means that
	// the provider has ended the grant: the session is over.
	RefreshLogin(ctx context.Context, old *Login) (*Login, error)
	// LogoutURL is where the browser goes to end the session at the provider (OpenID
	// Connect RP-Initiated Logout §2), and empty where there is no such place. It
	// does not wait for the network.
	LogoutURL(l *Login, returnTo, state string) string
	// ReadLogoutToken verifies a logout token (Back-Channel Logout §2.6). That it has
	// not come before is the caller's to verify.
	ReadLogoutToken(ctx context.Context, token string) (*Logout, error)
}

// LoginKeeper is the ability of a LoginProvider whose configuration may change so that
// logins of before are none any more: of another client, or by another claim.
type LoginKeeper interface {
	// KeepsLogin reports whether the handler, as it is now, would have made the login.
	KeepsLogin(l *Login) bool
}

// LoginAttempt is one way to the provider and back. All of it is secret until the
// browser has it, and worth nothing after ten minutes or its first use.
type LoginAttempt struct {
	State       string // RFC 6749 §10.12
	Nonce       string // OpenID Connect Core §3.1.2.1
	Verifier    string // PKCE's code_verifier (RFC 7636 §4.1)
	RedirectURI string // exactly as it is registered
	// Again asks the provider to let the person choose or prove who they are, even
	// if it knows them.
	Again bool
}

// Login is somebody who has signed in in a browser, with what is kept of the
// provider's answer. It is stored encrypted, and nothing of it is ever shown.
type Login struct {
	// Person is who it is; the chain alone sets ID and Handler. SessionID is the
	// provider's sid. Expiry is not used.
	Person AuthUserInfo
	// IDToken is the hint for the logout at the provider.
	IDToken string
	// RefreshToken renews the login. Empty: the provider gave none.
	RefreshToken string
	// IssuedAt is the iat of the ID token, in the provider's time: a logout token
	// ends the logins before it.
	IssuedAt time.Time
	// Terms names, in a form of the handler's own, the person that the login was made for, and who
	// it says that the person is. See LoginKeeper.
	Terms string
	// Until is the end of the tokens: what the provider said holds until then, and
	// has to be asked for again before. It is the access token's end.
	Until time.Time
}

// Logout is a verified logout token.
type Logout struct {
	// Revocation names issuer, and subject or session or both.
	Revocation Revocation
	// TokenID is the jti, unique for the issuer.
	TokenID string
	// IssuedAt and Expiry are the token's own, in the provider's time.
	IssuedAt, Expiry time.Time
}
