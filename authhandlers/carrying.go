package authhandlers

// Carrying is an optional ability of a Config: it names the request headers and the
// cookies that the handler reads, beside those of the Credential. Each holds what
// somebody proves themselves by, or who they are said to be. So none of them reaches
// the Cat or a log, and `catflap check` refuses one that is to be passed on.
type Carrying interface {
	CarriedBy() (headers, cookies []string)
}

// Carried adds to a link the names of what its handler reads, if the type says so.
func (l Link) Carried(c Config) Link {
	if by, ok := c.(Carrying); ok {
		l.Headers, l.Cookies = by.CarriedBy()
	}
	return l
}
