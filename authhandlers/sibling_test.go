package authhandlers_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

// brother is a handler that shares its issuer.
type brother struct {
	fake
	issuer string
}

func (b *brother) SharedIssuer() string { return b.issuer }
func (b *brother) Generation() uint64   { return 0 }
func (b *brother) Rejudge(*authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	return b.u, b.err
}

// TestSiblings: a refusal with Elsewhere leaves the credential to the issuer's other
// handlers, and to nobody else; the nearest one is told in the end.
func TestSiblings(t *testing.T) {
	elsewhere := func(far int) error {
		return &authhandlers.Rejection{Code: authhandlers.Code(fmt.Sprint("far", far)), Hint: "no", Elsewhere: far}
	}
	final := authhandlers.Reject(authhandlers.CodeBadSignature, "no", "no")
	fault := errors.New("unreachable")
	type answer struct {
		issuer string
		u      *authhandlers.AuthUserInfo
		err    error
	}
	for _, c := range []struct {
		name    string
		answers []answer
		want    string
		asked   string
	}{
		{"the second's", []answer{{"i", nil, elsewhere(2)}, {"i", alice(), nil}}, "h1", "11"},
		{"others are not asked", []answer{{"i", nil, elsewhere(2)}, {"", alice(), nil}, {"j", alice(), nil}}, "far2", "100"},
		{"the second's, beyond others", []answer{{"i", nil, elsewhere(2)}, {"j", alice(), nil}, {"i", alice(), nil}}, "h2", "101"},
		{"nobody's", []answer{{"i", nil, elsewhere(2)}, {"i", nil, elsewhere(1)}, {"i", nil, elsewhere(3)}}, "far1", "111"},
		{"refused by the second", []answer{{"i", nil, elsewhere(1)}, {"i", nil, final}, {"i", alice(), nil}}, "bad_signature", "110"},
		{"refused by the first", []answer{{"i", nil, final}, {"i", alice(), nil}}, "bad_signature", "10"},
		{"a fault of the second", []answer{{"i", nil, elsewhere(1)}, {"i", nil, fault}, {"i", alice(), nil}}, "handler h1: unreachable", "110"},
		{"of no issuer", []answer{{"", nil, elsewhere(1)}, {"", alice(), nil}}, "far1", "10"},
		{"not the second's kind", []answer{{"i", nil, elsewhere(1)}, {"i", nil, authhandlers.ErrNoCredential}}, "far1", "11"},
	} {
		var links []authhandlers.Link
		var all []*brother
		for i, a := range c.answers {
			b := &brother{fake{u: a.u, err: a.err}, a.issuer}
			all = append(all, b)
			links = append(links, authhandlers.Link{Name: fmt.Sprint("h", i), Alias: fmt.Sprint("h", i), Handler: b})
		}
		u, err := newChain(t, links...).Authenticate(t.Context(), &authhandlers.Request{Credential: &authhandlers.Credential{Scheme: "bearer", Value: "t"}})
		var got, asked string
		switch r, ok := errors.AsType[*authhandlers.Rejection](err); {
		case ok:
			got = string(r.Code)
		case err != nil:
			got = err.Error()
		default:
			got = u.Handler
		}
		for _, b := range all {
			asked += fmt.Sprint(b.asked)
		}
		if got != c.want || asked != c.asked {
			t.Errorf("%s: %q, asked %s; want %q, asked %s", c.name, got, asked, c.want, c.asked)
		}
	}
}
