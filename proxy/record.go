package proxy

import (
	"net/netip"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// Outcome says how an exchange ended.
type Outcome string

// The outcomes.
const (
	OutcomeAllowed Outcome = "allowed" // forwarded; the Cat answered
	OutcomeRefused Outcome = "refused" // answered here with 4xx
	OutcomeFault   Outcome = "fault"   // answered here with 5xx, or broken off
	OutcomePage    Outcome = "page"    // a page or a preflight of our own

	OutcomeSignedIn  Outcome = "signed_in"  // a browser session has begun
	OutcomeGuest     Outcome = "guest"      // somebody has become a guest
	OutcomeSignedOut Outcome = "signed_out" // a browser session has ended, by its person or the provider
)

// Outcomes are all outcomes, for counters that begin at zero.
func Outcomes() []Outcome {
	return []Outcome{OutcomeAllowed, OutcomeRefused, OutcomeFault, OutcomePage, OutcomeSignedIn, OutcomeSignedOut, OutcomeGuest}
}

// Record is what one exchange was, for the audit log and the metrics. It holds no
// credential, no query and no value of a header.
type Record struct {
	Outcome   Outcome
	Status    int
	Code      authhandlers.Code
	Rule      string // the rule that decided
	Reason    string
	User      string // the user id at the Cat; empty for nobody
	Handler   string
	Groups    int // how many the person came with
	Carrier   authhandlers.Carrier
	Method    string
	Path      string // decoded, shortened, without what looks like a token
	Route     string // the contract's pattern
	Cat       string // the host of the person's Cat, where there are several
	Client    netip.Addr
	RequestID string
	Duration  time.Duration
	WebSocket bool
	Err       error // the cause, where there is one
	Stays     bool  // a fault that no waiting mends
}

const maxLoggedPath = 256

// loggablePath shortens a path and takes out the segments that could be a token:
// clients have been seen to put one there.
func loggablePath(path string) string {
	if looksLikeToken(path) {
		segments := strings.Split(path, "/")
		for i, s := range segments {
			if looksLikeToken(s) {
				segments[i] = "[token]"
			}
		}
		path = strings.Join(segments, "/")
	}
	if len(path) > maxLoggedPath {
		path = path[:maxLoggedPath] + "..."
	}
	return path
}

// looksLikeToken reports a text that may hold a signed token or an API key.
func looksLikeToken(s string) bool {
	return strings.Contains(s, "eyJ") || strings.Contains(strings.ToLower(s), authhandlers.KeyPrefix)
}

// loggableMethod keeps a method of a stranger's making out of the log and of the
// metrics' labels.
func loggableMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE":
		return method
	}
	return "other"
}
