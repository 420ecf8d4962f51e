package session

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/catflap/catflap/authhandlers"
)

// message is what Catflaps tell each other, sealed: the bus shows nobody's name, and
// who has no key can end nobody's access.
type message struct {
	From string
	authhandlers.Revocation
	// Denied, if not nil, is what tokens that are still to come are refused by.
	Denied *denial `json:",omitempty"`
}

// revoke ends an access here at once, whatever becomes of the message to the others.
func (m *Manager) revoke(ctx context.Context, r authhandlers.Revocation) error {
	return m.revokeTokens(ctx, r, nil)
}

// revokeTokens is revoke for tokens too, which are denied already.
func (m *Manager) revokeTokens(ctx context.Context, r authhandlers.Revocation, d *denial) error {
	m.ended.bury(r)
	m.revoked(r)
	plain, err := json.Marshal(message{m.self, r, d})
	if err != nil {
		return errors.New("session: a revocation can't be written")
	}
	return m.store.Publish(ctx, m.keys.seal(sealMessage, "", plain))
}

func (m *Manager) listen(ctx context.Context, messages <-chan []byte) {
	for sealed := range messages {
		if sealed == nil {
			m.observe(EventMissed)
			m.log.Warn("the connection to Redis was lost: messages of other Catflaps may have been missed; every live session is looked up again")
			m.loadDenied(ctx)
			m.resync()
			m.running.Go(func() { m.buryAgain(ctx) })
			continue
		}
		plain, err := m.keys.open(sealMessage, "", sealed)
		var got message
		if err != nil || json.Unmarshal(plain, &got) != nil {
			m.observe(EventForeign)
			m.log.Warn("a message in the store can't be opened: another key, or not ours")
			continue
		}
		m.ended.bury(got.Revocation)
		if got.From != m.self {
			if got.Denied != nil { // first: who is not ended now must not come in later
				m.denied.add(got.Denied, m.now())
			}
			m.revoked(got.Revocation)
		}
	}
}
