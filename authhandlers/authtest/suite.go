package authtest

import (
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// Suite describes a handler to [Run].
type Suite struct {
	// Clock is the clock of the handler and of the requests; required.
	Clock *Clock
	// Open opens a new handler with env. What it started ends with t. Required.
	Open func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler
	// Request returns a new request with a valid credential of the n-th person,
	// issued at the clock's present time. Required.
	Request func(t *testing.T, n int) *authhandlers.Request
	// Person names the n-th person, as the handler must. Required.
	Person func(n int) (issuer, subject string)
	// Lifetime is how long after its issue a credential is surely no longer accepted,
	// leeway included. 0 means that it never ends by itself.
	Lifetime time.Duration
	// Guest says that the handler is for requests without a credential.
	Guest bool
	// Refused are requests with a credential of the handler's own kind that it must
	// answer with a Rejection: forged, expired, malformed.
	Refused map[string]func(t *testing.T) *authhandlers.Request
	// Foreign are further requests that the handler must not accept, whether it
	// refuses them or passes them on. Opaque tokens, tokens of other issuers and
	// other schemes are tried in any case.
	Foreign map[string]func(t *testing.T) *authhandlers.Request
}

// Run tests that the handler keeps the contract of authhandlers.AuthHandler.
func Run(t *testing.T, s Suite) {
	t.Helper()
	if s.Clock == nil || s.Open == nil || s.Request == nil || s.Person == nil {
		t.Fatal("authtest: an incomplete Suite")
	}
	for _, c := range []struct {
		name string
		test func(*testing.T, *Suite, authhandlers.AuthHandler)
	}{
		{"accepts its people", testAccepts},
		{"passes on a request without credential", testNoCredential},
		{"accepts nothing foreign", testForeign},
		{"refuses with a reason and without the credential", testRefused},
		{"accepts no altered credential", testAltered},
		{"says what browsers send by themselves", testAmbient},
		{"leaves the request as it is", testUnchanged},
		{"never mixes people", testConcurrent},
		{"returns when the client has left", testCancelled},
		{"ends with the credential", testExpiry},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, &s, s.Open(t, NewEnv(t, s.Clock))) })
	}
}
