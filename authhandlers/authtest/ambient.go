package authtest

import (
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

// testAmbient holds that a handler which accepts a request whatever its Credential is
// says so: any page can add one to what a browser sends by itself.
func testAmbient(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	if s.Guest {
		t.Skip("the handler is for guests")
	}
	for _, carrier := range []authhandlers.Carrier{authhandlers.CarrierQuery, authhandlers.CarrierSubprotocol, authhandlers.CarrierAuthorization} {
		r := s.Request(t, 0)
		r.Credential = &authhandlers.Credential{Scheme: "bearer", Value: "of-no-kind-at-all", Carrier: carrier}
		if _, err := h.Authenticate(t.Context(), r); err == nil && !authhandlers.IsAmbient(h, r) {
			t.Errorf("%s: accepted without a look at the Credential; implement authhandlers.Ambient", carrier)
		}
	}
}
