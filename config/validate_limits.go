package config

import (
	"fmt"
	"time"

	"github.com/catflap/catflap/config/value"
)

func (v *validator) websocket() {
	w := &v.c.WebSocket
	between(v, "websocket.ping", w.Ping, value.Duration(time.Second), value.Duration(time.Hour))
	between(v, "websocket.linger", w.Linger, 0, value.Duration(time.Hour))
	between(v, "websocket.reconnect_for", w.ReconnectFor, value.Duration(time.Second), value.Duration(time.Hour))
	between(v, "websocket.max_message", w.MaxMessage, 1<<10, 1<<30)
	between(v, "websocket.max_reply", w.MaxReply, 1<<20, 1<<30)
	between(v, "websocket.message_rate", w.MessageRate, 0, 100_000)
	between(v, "websocket.max_queue", w.MaxQueue, 64<<10, 1<<30)
	between(v, "websocket.max_queue_messages", w.MaxQueueMessages, 10, 1_000_000)
	between(v, "websocket.max_held", w.MaxHeld, 16<<20, 1<<40)
	between(v, "websocket.max_sockets", w.MaxSockets, 1, maxCount)
	between(v, "websocket.max_sockets_per_user", w.MaxSocketsPerUser, 1, maxCount)
}

// maxCount is more than one process can hold of anything; a number above it is a
// mistake.
const maxCount = 10_000_000

func (v *validator) limits() {
	l := &v.c.Limits
	between(v, "limits.header_bytes", l.HeaderBytes, 4<<10, 1<<20)
	between(v, "limits.headers", l.Headers, 10, 10_000)
	v.positive("limits.header_timeout", l.HeaderTimeout)
	v.positive("limits.body_idle", l.BodyIdle)
	v.positive("limits.idle", l.Idle)
	between(v, "limits.connections", l.Connections, 1, maxCount)
	between(v, "limits.verifications", l.Verifications, 0, 10_000)
	between(v, "limits.cached_tokens", l.CachedTokens, 1, maxCount)
	v.positive("limits.stop_grace", l.StopGrace)
}

// between verifies the range of a number, a size or a duration.
func between[T int | value.Size | value.Duration](v *validator, field string, got, least, most T) {
	if got < least || got > most {
		v.bad(field, fmt.Sprintf("%v is out of range", got), fmt.Sprintf("write a value from %v to %v", least, most))
	}
}
