package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a configuration, or (as a warning)
// worth a second look.
type Problem struct {
	File    string // as it was named to Load or Parse
	Line    int    // 1 is the first; 0 when no line is to blame
	Field   string // the path of the field, such as handlers[0].keys.jwks_url; empty for the whole file
	Message string // what is wrong
	Hint    string // what to write instead; may be empty
}

// String writes the problem for a person, the hint on a line of its own.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("\n  hint: " + p.Hint)
	}
	return b.String()
}

// Errors is everything that is wrong with a configuration, in the order of the file.
type Errors struct{ Problems []Problem }

// Error writes every problem, each as `catflap.yaml:12: field: what is wrong`
// with its hint on the next line.
func (e *Errors) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// asError returns the problems as an error, or nil when there are none.
func asError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &Errors{Problems: problems}
}

// inOrder sorts by line; what is said of one line stays in the order of its finding.
func inOrder(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return problems
}

// maxProblems bounds a report: a file of the wrong kind is wrong on every line,
// and nobody reads more than this.
const maxProblems = 100

func bounded(problems []Problem) []Problem {
	problems = inOrder(problems)
	if len(problems) <= maxProblems {
		return problems
	}
	more := len(problems) - maxProblems
	last := problems[maxProblems-1]
	return append(problems[:maxProblems:maxProblems], Problem{
		File: last.File, Line: last.Line, Message: fmt.Sprintf("%d more problems follow", more),
	})
}
