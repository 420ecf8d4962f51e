package authhandlers

import "errors"

// Sibling is the ability of a handler that may have its issuer in common with others
// of the chain. They decide together which of them a credential is for: the first
// one, in their order, that does not answer with a Rejection of Elsewhere. Its answer
// is final. Such a handler is a Rejudger too, or nobody could be judged again.
type Sibling interface {
	Rejudger
	// SharedIssuer is AuthUserInfo.Issuer of everybody that the handler lets in.
	SharedIssuer() string
}

// Reacher is an optional ability of a Config: it says whether a credential can reach
// the handler past those before it.
type Reacher interface {
	// HiddenBehind gets the configurations of all handlers before this one, in order,
	// and returns the index of one that leaves nothing to it, or -1.
	HiddenBehind(earlier []any) int
}

// siblingOf returns the issuer that a handler may share, or "".
func siblingOf(h AuthHandler) string {
	if s, ok := h.(Sibling); ok {
		return s.SharedIssuer()
	}
	return ""
}

// search is the way along the chain of a credential that one handler of its issuer
// has left to the issuer's others.
type search struct {
	issuer  string
	nearest *Rejection
}

// passes reports that a handler is not asked: it is of no issuer, or of another.
func (s *search) passes(issuer string) bool { return s.nearest != nil && issuer != s.issuer }

// goesOn reports that the answer leaves the credential to the issuer's other handlers.
func (s *search) goesOn(issuer string, err error) bool {
	r, ok := errors.AsType[*Rejection](err)
	if !ok || r.Elsewhere == 0 || issuer == "" {
		return false
	}
	s.issuer = issuer
	if s.nearest == nil || r.Elsewhere < s.nearest.Elsewhere {
		s.nearest = r
	}
	return true
}
