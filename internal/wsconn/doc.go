// Package wsconn is the WebSocket protocol (RFC 6455) over a connection whose handshake
// the library has done.
//
// The rule it guards: a connection that says nothing costs next to nothing, and each
// connection has one end, of which the first reason counts. It holds no buffer and no
// goroutine while it is silent, and it is closed within a bounded time whatever the
// other end does. It knows nothing of people, rooms and Cats.
//
// # The end of a connection
//
// A [Conn] goes through these states, and never back:
//
//	       End, a close that came, a refusal            Stop, or closeWait has passed
//	open ───────────────────────────────────▶ ending ─────────────────────────────────▶ closed
//	  │                                          ▲  our close is written, the other end's
//	  └── the connection breaks: ending, 1006 ───┘  is read; then the connection is cut
//
// Who begins an end says how: [Conn.End] from here with a [Closing], the other end with
// a close frame, or the reading that fails. [Conn.Ending] is that first reason. Each end
// starts a timer that cuts the connection, so that no close handshake lasts. A reader
// that ends leaves the closing to [Conn.Stop]: a client waits there until the server has
// closed the connection (RFC 6455 §7.1.1).
//
// # Goroutines and locks
//
// One goroutine reads, in [Conn.Receive]; it ends when the connection is parked, and a
// [Poller] starts another when there is something to read. A Poller runs one goroutine
// while something is parked. Any goroutine may write; a writer's turn orders them. A
// Conn's mutex guards the state of its end alone, a Poller's the parked readers: neither
// is held while the other is taken, nor while anything is read or written.
package wsconn
