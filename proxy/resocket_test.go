package proxy

import (
	"errors"
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

// TestReauthenticate judges a token that comes over an open socket as one of a
// handshake: by the chain, and by who may chat.
func TestReauthenticate(t *testing.T) {
	l := newLab(t, nil)
	for token, want := range map[string]string{"alice": "staff:alice", "forged": "rejection", "opaque": "rejection", "fault": "fault", "panic": "fault", "": "rejection"} {
		got := "fault"
		u, err := l.handler.Reauthenticate(t.Context(), nil, token)
		if _, ok := errors.AsType[*authhandlers.Rejection](err); ok {
			got = "rejection"
		} else if err == nil {
			got = u.ID
		}
		if got != want {
			t.Errorf("%q: %s, %v", token, got, err)
		}
	}
}

// TestDialCat opens a socket as the person, with Catflap's own credential, without a
// request of a client.
func TestDialCat(t *testing.T) {
	l, running := socketLab(t)
	c, err := l.handler.DialCat(t.Context(), &authhandlers.AuthUserInfo{ID: "staff:alice"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	last := running.LastRequest()
	if last.Target != "/ws/staff:alice?token=the-cats-ws-key" || len(last.Values("user_id")) != 1 || len(last.Values("X-Forwarded-For")) != 0 {
		t.Errorf("the handshake at the Cat: %s %v", last.Target, last.Headers)
	}
	if _, err := l.handler.DialCat(t.Context(), &authhandlers.AuthUserInfo{}); err == nil {
		t.Error("a socket of nobody's")
	}
}
