package proxy

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/chat"
)

// visibleWait bounds how long a handshake that is refused visibly may take to end.
const visibleWait = 2 * time.Second

// refuseVisibly tells a page why its handshake is refused: a browser shows a page's
// script neither the status nor the body of one, so it is accepted and closed at
// once, with a code and a reason. Nothing goes to the Cat. A page of a foreign
// origin, and whatever is no proper handshake, is refused as always.
func (ex *exchange) refuseVisibly(ref *refusal) bool {
	code := visibleCode(ref.status)
	if !ex.socket || !ex.h.o.VisibleRefusals || code == 0 || checkHandshake(ex.r) != nil {
		return false
	}
	if origins := ex.r.Header["Origin"]; len(origins) != 1 || !ex.originAllowed(origins[0]) {
		return false
	}
	upgrader := wsconn.Upgrader()
	if slices.Contains(offeredProtocols(ex.r.Header), bearerProtocol) {
		upgrader.Subprotocols = []string{bearerProtocol}
	}
	c, err := upgrader.Upgrade(ex.w, ex.r, nil)
	if err != nil {
		_, unanswered := errors.AsType[websocket.HandshakeError](err)
		return !unanswered // else it was hijacked and is gone: there is nobody left to tell
	}
	defer c.Close() //nolint:errcheck // it is over
	reason := string(ref.code) + ": " + ref.public
	_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason[:min(len(reason), 120)]), time.Now().Add(visibleWait))
	// What was piped behind the handshake is not looked at; the browser's own close
	// is waited for, so that ours reaches it before the connection ends.
	_ = c.SetReadDeadline(time.Now().Add(visibleWait))
	c.SetReadLimit(1 << 10)
	for err == nil {
		_, _, err = c.NextReader()
	}
	return true
}

// visibleCode is the close code of a refusal; 0 for one that is a mistake of the
// client's making.
func visibleCode(status int) int {
	switch status {
	case http.StatusUnauthorized:
		return chat.CodeSignedOut
	case http.StatusForbidden:
		return chat.CodeForbidden
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return websocket.CloseTryAgainLater
	}
	return 0
}
