package chat

import (
	"time"
)

// running is what a client's own socket knows of the turns at the Cat. The socket guards
// it. Where an earlier socket's turn ends late, the Cat forgets the new one: then the
// client is closed, and comes back with another.
type running struct {
	turns turns
	late  []owed      // turns of earlier sockets, whose answers may still come
	early []*outbound // what came while the client's handshake was held
	heard time.Time
	dog   *time.Timer
}
