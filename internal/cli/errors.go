package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/spelling"
)

// usageError is a command line that can't be meant; exit code 2.
type usageError struct{ problem, hint string }

func (e *usageError) Error() string { return e.problem }

// hintedError is a failure with what to do about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// exit prints an error and returns its code.
func (e *env) exit(err error) int {
	var problems *config.Errors
	var wrong *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		fmt.Fprintf(e.stderr, "catflap: %s\nhint: %s\n", wrong.problem, wrong.hint)
		return exitUsage
	case errors.As(err, &problems): // each has its file, line and hint
		fmt.Fprintln(e.stderr, strings.TrimRight(problems.Error(), "\n"))
	default:
		fmt.Fprintf(e.stderr, "catflap: %s\n", err)
	}
	if hinted, ok := errors.AsType[*hintedError](err); ok {
		fmt.Fprintf(e.stderr, "hint: %s\n", hinted.hint)
	}
	return exitFailed
}

func unknownCommand(word string) error {
	hint := "catflap --help"
	for _, c := range commands() {
		if first := strings.Fields(c.name)[0]; similar(word, first) {
			hint = "did you mean catflap " + c.name + "?"
		}
	}
	return &usageError{fmt.Sprintf("there is no command %q", word), hint}
}

// similar reports whether typed was probably meant to be name: one begins with the
// other, or two slips at most lie between them.
func similar(typed, name string) bool {
	typed = strings.ToLower(strings.TrimLeft(typed, "-"))
	if len(typed) < 2 || len(typed) > 2*len(name) {
		return false
	}
	return strings.HasPrefix(name, typed) || strings.HasPrefix(typed, name) || spelling.Distance(typed, name) <= min(2, len(name)/2)
}
