package authhandlers

// HandlerError says which handler an error is of, for the log.
type HandlerError struct {
	Handler string
	Err     error
}

func (e *HandlerError) Error() string { return "handler " + e.Handler + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *HandlerError) Unwrap() error { return e.Err }
