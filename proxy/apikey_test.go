package proxy

import (
	"strings"
	"testing"
)

// TestKeysInAPathAreNotLogged: a key that a client has put into the path is a secret
// there, too.
func TestKeysInAPathAreNotLogged(t *testing.T) {
	for path, want := range map[string]string{
		"/ws/catflap_abcdefgh_secret": "/ws/[token]", "/x/CATFLAP_ABC/y": "/x/[token]/y", "/_catflap/session": "/_catflap/session",
		"/ws/token=catflap_abc": "/ws/[token]", "/ws/eyJx": "/ws/[token]",
	} {
		if got := loggablePath(path); got != want || strings.Contains(got, "secret") {
			t.Errorf("%s is logged as %s", path, got)
		}
	}
}
