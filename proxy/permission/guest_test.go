package permission

import (
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

// TestEveryoneIsNoGuest: an endpoint for each signed-in person is not for somebody
// who has not signed in; one that needs what guests hold is.
func TestEveryoneIsNoGuest(t *testing.T) {
	p, err := New(Rules{Endpoints: []Endpoint{
		{Match: "GET /custom/everyone", Needs: "everyone"}, {Match: "GET /custom/chat", Needs: "CONVERSATION:WRITE", Own: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	guest := &authhandlers.AuthUserInfo{ID: "guest:1", Handler: "guests", Issuer: authhandlers.GuestIssuer, Permissions: []string{"base"}}
	person := &authhandlers.AuthUserInfo{ID: "staff:alice", Handler: "staff", Permissions: []string{"base"}}
	for _, row := range []struct {
		path         string
		guest, other bool
	}{{"/custom/everyone", false, true}, {"/custom/chat", true, true}, {"/custom/unknown", false, false}} {
		target := Target{Method: "GET", Path: row.path}
		if d := p.Decide(guest, target); d.Allow != row.guest {
			t.Errorf("%s, a guest: %+v", row.path, d)
		}
		if d := p.Decide(person, target); d.Allow != row.other {
			t.Errorf("%s, a person: %+v", row.path, d)
		}
	}
}
