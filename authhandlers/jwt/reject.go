package jwt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// refusedTime is how long a bad signature is remembered.
const refusedTime = 10 * time.Second

func reject(code authhandlers.Code, hint, format string, args ...any) error {
	return authhandlers.Reject(code, hint, format, args...)
}

func malformed(err error) error {
	return reject(authhandlers.CodeMalformedToken, "the token is not well-formed", "%w", err)
}

// refusedFor says which refusals are remembered: a bad signature alone. The others
// that get this far are faults, or may turn with the next key set.
func refusedFor(err error) time.Duration {
	var r *authhandlers.Rejection
	if errors.As(err, &r) && r.Code == authhandlers.CodeBadSignature {
		return refusedTime
	}
	return 0
}

// quote makes a text of a stranger fit for a log line: short, in quotes, ASCII.
// Only names of issuers, audiences, clients, keys, algorithms and types are ever quoted.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strconv.QuoteToASCII(s)
}

// quoteAll quotes several.
func quoteAll(names []string) string {
	const most = 8
	var quoted []string
	for _, name := range names[:min(most, len(names))] {
		quoted = append(quoted, quote(name))
	}
	if len(names) > most {
		quoted = append(quoted, fmt.Sprintf("and %d more", len(names)-most))
	}
	if quoted == nil {
		return "none"
	}
	return strings.Join(quoted, ", ")
}

// Off says by how much a moment of a token is off. Where it is little, two clocks differ.
func Off(what string, by, leeway time.Duration) string {
	return fmt.Sprintf("%s: by %s on the clock here, where leeway lets %s pass", what, by.Round(time.Millisecond), leeway)
}
