package chat

import (
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	readBuffer  = 1 << 8  // held by an idle socket; larger messages bypass it
	writeBuffer = 4 << 10 // borrowed while something is written
)

// writeBuffers lends the buffers of both sides, so that an idle socket holds none.
type writeBuffers struct{ pool sync.Pool }

func (b *writeBuffers) Get() any  { return b.pool.Get() }
func (b *writeBuffers) Put(x any) { b.pool.Put(x) }

// Upgrader answers handshakes. The Origin must have been judged before, and an
// error is the caller's to answer; compression is not spoken.
func (h *Hub) Upgrader() *websocket.Upgrader {
	return &websocket.Upgrader{
		HandshakeTimeout: controlWait, ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: &h.buffers,
		CheckOrigin: func(*http.Request) bool { return true },
		Error:       func(http.ResponseWriter, *http.Request, int, error) {},
	}
}

// Dialer opens sockets at the Cat. It uses no proxy of the environment.
func (h *Hub) Dialer(timeout time.Duration) *websocket.Dialer {
	return &websocket.Dialer{HandshakeTimeout: timeout, ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: &h.buffers}
}
