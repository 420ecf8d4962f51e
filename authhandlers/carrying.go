package authhandlers

import "net/http"

// Carrying is an optional ability of a Config: it names the request headers and the
// cookies that the handler reads, beside those of the Credential. Each holds what
// somebody proves themselves by, or who they are said to be. So none of them reaches
// the Cat or a log, and `catflap check` refuses one that is to be passed on.
type Carrying interface {
	CarriedBy() (headers, cookies []string)
}

// CarriedTaker is an optional ability of a Config that is [Carrying]: it says whether the
// handler takes each request that has any of what it reads. No other handler may read the
// same then.
type CarriedTaker interface{ TakesAllCarried() bool }

// Carried adds to a link the names of what its handler reads, if the type says so.
func (l Link) Carried(c Config) Link {
	if by, ok := c.(Carrying); ok {
		l.Headers, l.Cookies = by.CarriedBy()
	}
	return l
}

// Presenter is the ability of a handler that takes its credential from a carrier of its
// own, which it names by [Carrying]. Two credentials in one request are refused by what
// it says, wherever they are.
type Presenter interface {
	// Presented returns the credential that r has in the handler's carrier, and nil
	// where there is none. The error is for a carrier that comes twice.
	Presented(r *http.Request) (*Credential, error)
}
