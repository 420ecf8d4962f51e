package forwarded

import (
	"encoding/json"
	"net/netip"

	"github.com/catflap/catflap/authhandlers"
)

// evidence is how a lasting request proved to be the proxy's.
type evidence struct {
	Peer        netip.Addr
	User        string // the header that named the person
	SecretPrint string `json:",omitempty"`
	Certificate string `json:",omitempty"` // its name
}

func (e evidence) text() string {
	b, err := json.Marshal(e)
	if err != nil { // texts alone: can't happen
		return ""
	}
	return string(b)
}

// Rejudge implements authhandlers.Rejudger. Somebody stays as long as the proxy could
// name them in the same way: a network that is no longer listed, a secret or a name that was taken
// away end what was opened by it.
func (h *handler) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	var e evidence
	if err := json.Unmarshal([]byte(u.Evidence), &e); err != nil {
		return nil, authhandlers.Reject(authhandlers.CodeUnclaimed, "sign in again", "what was kept is not of this handler")
	}
	if e.User != h.user || u.Issuer != h.issuer || !h.listed(e.Peer) || !h.stillHas(e.SecretPrint) || !h.stillNames(e.Certificate) {
		return nil, refuse("sign in again", "the proxy that has named this person could not do so now")
	}
	again := *u
	again.Permissions = nil // those of the configuration before
	return &again, nil
}

// Generation implements authhandlers.Rejudger: only a reload changes the answers.
func (h *handler) Generation() uint64 { return 0 }
