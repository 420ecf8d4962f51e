package cat

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// ChatKeyError says that the Cat refuses Catflap's key for WebSockets: nobody can chat.
// All else is served.
type ChatKeyError struct{}

func (*ChatKeyError) Error() string {
	return "the Cat refuses Catflap's WebSocket key: is cat.api_key_ws the Cat's CCAT_API_KEY_WS?"
}

// chatKeyDoor tries the key for WebSockets, for nobody. A minted token needs no trial of
// its own: the accounts have one.
func (p *Probe) chatKeyDoor(ctx context.Context) error {
	keys, ok := p.Credentials.(*Keys)
	if !ok || keys.chat == "" {
		return nil
	}
	c, resp, err := p.handshake(ctx, keys.chat)
	if err == nil {
		hangUp(c)
		return nil
	}
	if resp == nil {
		return fmt.Errorf("the Cat can't be reached: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	if resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusUnauthorized {
		return &ChatKeyError{}
	}
	return fmt.Errorf("the Cat answers %d to a WebSocket handshake", resp.StatusCode)
}

// hangUp leaves the Cat a proper close.
func hangUp(c *websocket.Conn) {
	soon := time.Now().Add(time.Second)
	err := c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), soon)
	_ = c.SetReadDeadline(soon)
	for err == nil {
		_, _, err = c.NextReader()
	}
	_ = c.Close() // the close was said before
}
