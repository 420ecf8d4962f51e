package refusals

import (
	"slices"
	"strconv"
	"strings"

	"github.com/catflap/catflap/authhandlers"
)

// Refusal is a row of the table: a code, and one of its causes.
type Refusal struct {
	Code   authhandlers.Code
	Status []int  // of the answer, the usual one first; none: there is no answer to set it in
	When   string // tells this cause from others of the code, and stands behind it
	Cause  string // what it means
	Do     string // what the operator does
}

// named is the refusal as it stands in an answer or in the log: its status and its code.
func (r Refusal) named() string {
	var status []string
	for _, s := range r.Status {
		status = append(status, strconv.Itoa(s))
	}
	return strings.TrimSpace(strings.Join(status, " or ")+" `"+string(r.Code)+"`") + r.When
}

// clientLeft is the status, in the log alone, of a request whose client did not wait.
const clientLeft = 499

// Table is all refusals.
func Table() []Refusal {
	return slices.Concat(ofCredentials(), ofTokens(), ofPersons(), ofSignIn(), ofSessions(), ofRequests(), ofFaults())
}

// Codes are all codes that an answer of Catflap's own, its log and its metrics can have,
// but for those of handlers that somebody has added.
func Codes() (l []authhandlers.Code) {
	for _, r := range Table() {
		if !slices.Contains(l, r.Code) {
			l = append(l, r.Code)
		}
	}
	return l
}
