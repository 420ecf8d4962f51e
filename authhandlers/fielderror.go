package authhandlers

import "errors"

// FieldError is one mistake in a configuration.
type FieldError struct {
	Field   string // the path below the handler, such as keys.jwks_url or audiences[1]
	Problem string // what is wrong
	Hint    string // what to write instead
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Where returns the field's path, for a reader that knows its line.
func (e *FieldError) Where() (field, problem, hint string) { return e.Field, e.Problem, e.Hint }

// FieldErrors collects the mistakes of a configuration.
type FieldErrors []error

// Add notes one mistake. The hint may be empty.
func (e *FieldErrors) Add(field, problem, hint string) {
	*e = append(*e, &FieldError{Field: field, Problem: problem, Hint: hint})
}

// Err returns all of them as one error, or nil.
func (e FieldErrors) Err() error { return errors.Join(e...) }
