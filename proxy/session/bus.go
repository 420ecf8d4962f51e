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
}

// revoke ends an access here at once, whatever becomes of the message to the others.
func (m *Manager) revoke(ctx context.Context, r authhandlers.Revocation) error {
	m.ended.bury(r)
	m.revoked(r)
	plain, err := json.Marshal(message{m.self, r})
	if err != nil {
		return errors.New("session: a revocation can't be written")
	}
	return m.store.Publish(ctx, m.keys.seal(sealMessage, "", plain))
}

func (m *Manager) listen(ctx context.Context, messages <-chan []byte) {
	for sealed := range messages {
		if sealed == nil {
			m.observe(EventMissed)
			m.log.Warn("messages of other Catflaps may have been missed; every live session is looked up anew")
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
			m.revoked(got.Revocation)
		}
	}
}
