package authhandlers_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

type failing struct{ err error }

func (f failing) Authenticate(context.Context, *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	return nil, f.err
}

// TestAnErrorNamesItsHandler: of several handlers, the log says which one has refused, or
// has a fault.
func TestAnErrorNamesItsHandler(t *testing.T) {
	refusal := authhandlers.Reject(authhandlers.CodeWrongAudience, "no", "aud is another")
	for _, err := range []error{refusal, errors.New("no keys")} {
		c := newChain(t, authhandlers.Link{Name: "robots", Alias: "robots", Handler: failing{authhandlers.ErrNoCredential}},
			authhandlers.Link{Name: "staff", Alias: "staff", Handler: failing{err}})
		_, got := c.Authenticate(t.Context(), &authhandlers.Request{})
		of, ok := errors.AsType[*authhandlers.HandlerError](got)
		if !ok || of.Handler != "staff" || !errors.Is(got, err) || !strings.Contains(got.Error(), "staff") {
			t.Errorf("%v", got)
		}
	}
}
