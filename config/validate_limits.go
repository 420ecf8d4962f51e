package config

import (
	"fmt"
	"time"

	"github.com/catflap/catflap/config/value"
)

func (v *validator) websocket() {
	w, before := &v.c.WebSocket, len(v.problems)
	between(v, "websocket.ping", w.Ping, value.Duration(time.Second), value.Duration(time.Hour))
	between(v, "websocket.linger", w.Linger, 0, value.Duration(time.Hour))
	between(v, "websocket.reconnect_for", w.ReconnectFor, value.Duration(time.Second), value.Duration(time.Hour))
	between(v, "websocket.deliver_within", w.DeliverWithin, value.Duration(time.Second), value.Duration(time.Hour))
	between(v, "websocket.max_message", w.MaxMessage, 1<<10, 1<<30)
	between(v, "websocket.max_reply", w.MaxReply, 1<<20, 1<<30)
	between(v, "websocket.message_rate", w.MessageRate, 0, 100_000)
	between(v, "websocket.max_queue", w.MaxQueue, 64<<10, 1<<30)
	between(v, "websocket.max_queue_messages", w.MaxQueueMessages, 10, 1_000_000)
	between(v, "websocket.max_held", w.MaxHeld, 16<<20, 1<<40)
	between(v, "websocket.max_held_per_user", w.MaxHeldPerUser, 1<<20, 1<<40)
	between(v, "websocket.message_timeout", w.MessageTimeout, value.Duration(time.Second), value.Duration(time.Hour))
	between(v, "websocket.max_sockets", w.MaxSockets, 1, maxCount)
	between(v, "websocket.max_sockets_per_user", w.MaxSocketsPerUser, 1, maxCount)
	if len(v.problems) == before {
		v.held()
	}
}

// held verifies that the bounds of what is in memory fit each other: a share that one
// person can take from all the others is none, and one that no whole message fits is none.
func (v *validator) held() {
	w := &v.c.WebSocket
	share := w.MaxHeldPerUser
	if share > w.MaxHeld/2 {
		v.bad("websocket.max_held_per_user", fmt.Sprintf("%v is more than half of max_held", share), fmt.Sprintf("write %v at most, or raise max_held", w.MaxHeld/2))
	}
	if w.Session == "separate" { // no message is held as a whole
		return
	}
	if most := share / 4 * 3; w.MaxMessage > most {
		v.bad("websocket.max_message", fmt.Sprintf("%v is more than three quarters of max_held_per_user", w.MaxMessage), fmt.Sprintf("write %v at most, or raise max_held_per_user", most))
	}
	if w.MaxReply > share {
		v.bad("websocket.max_reply", fmt.Sprintf("%v is more than max_held_per_user", w.MaxReply), fmt.Sprintf("write %v at most, or raise max_held_per_user", share))
	}
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
	between(v, "limits.write_idle", l.WriteIdle, value.Duration(time.Second), value.Duration(24*time.Hour))
	v.positive("limits.idle", l.Idle)
	between(v, "limits.connections", l.Connections, 1, maxCount)
	between(v, "limits.http_connections", l.HTTPConnections, 1, maxCount)
	between(v, "limits.connections_per_address", l.ConnectionsPerAddress, 1, maxCount)
	between(v, "limits.requests_per_person", l.RequestsPerPerson, 1, maxCount)
	between(v, "limits.requests_per_address", l.RequestsPerAddress, 1, maxCount)
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
