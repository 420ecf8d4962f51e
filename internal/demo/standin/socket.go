package standin

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// frameLimit is the largest frame that the Cat takes; its own have no limit.
const frameLimit = 16 << 20

// serveSocket answers a WebSocket handshake. A refusal comes before the upgrade
// and is the same for a wrong token and for a path that is not there.
func (c *Cat) serveSocket(e *exchange) {
	user, ok := "user", e.path == "/ws"
	if !ok {
		user, ok = strings.CutPrefix(e.path, "/ws/")
		ok = ok && user != "" && !strings.Contains(user, "/")
	}
	if e.r.Method == http.MethodGet && (!ok || !c.admitByQuery(e, user)) {
		e.status = http.StatusForbidden
		h := e.w.Header()
		h.Del("Server")
		h.Set("Content-Type", "text/plain")
		h.Set("Content-Length", "0")
		h.Set("Connection", "close")
		e.w.WriteHeader(http.StatusForbidden)
		return
	}
	upgrader := websocket.Upgrader{
		CheckOrigin:       func(*http.Request) bool { return true },
		EnableCompression: true,
		Error: func(w http.ResponseWriter, _ *http.Request, _ int, reason error) {
			e.status = http.StatusBadRequest
			w.Header().Set("Connection", "close")
			http.Error(w, "Failed to open a WebSocket connection: "+reason.Error()+".", http.StatusBadRequest)
		},
	}
	s := newSocket(e.caller.user)
	conn, err := upgrader.Upgrade(taken{e.w, func() {
		e.stopTap()
		e.status = http.StatusSwitchingProtocols
		c.seen.update(e.seen, func(r *Request) { r.Status = e.status })
		c.sockets.opened(s, c.options.Now())
	}}, e.r, http.Header{"Server": {"uvicorn"}})
	s.conn = conn
	close(s.ready)
	if e.status != http.StatusSwitchingProtocols {
		return
	}
	clean := err == nil && c.serve(s, e)
	c.sockets.closed(s, c.options.Now(), clean)
	c.keep(e.caller.user, e.session)
	close(s.done)
	if err == nil {
		conn.Close()
	}
}

// serve keeps a socket until it ends, and reports whether it ended with a close
// frame.
func (c *Cat) serve(s *socket, e *exchange) bool {
	select {
	case <-c.stopped:
		return false
	default:
	}
	go s.beat(c.options.PingEvery)
	return c.listen(s, e)
}

// listen takes the messages of a socket one after another, and reports whether it
// ended with a close frame.
func (c *Cat) listen(s *socket, e *exchange) bool {
	for f := range s.arrivals() {
		message, err := decode(f.data)
		if f.kind != websocket.TextMessage || err != nil {
			return false // dropped, without a close frame
		}
		e.session = c.recallSession(s.user)
		answer, err := c.turn(e.caller, e.session, message)
		if err != nil {
			answer = asFailure(err).frame()
		} else {
			c.keep(s.user, e.session)
		}
		c.sockets.send(s.user, answer)
	}
	return s.clean
}

// closedByPeer reports whether the peer sent a close frame, whatever its code.
func closedByPeer(err error) bool {
	var ce *websocket.CloseError
	return errors.As(err, &ce) && ce.Code != websocket.CloseAbnormalClosure
}

// socket is one open WebSocket.
type socket struct {
	user  string
	conn  *websocket.Conn // set when ready is closed, nil if the handshake failed
	ready chan struct{}
	done  chan struct{}
	clean bool       // it ended with a close frame: known when all its messages have come
	write sync.Mutex // one writer at a time
	pong  atomic.Bool
}

func newSocket(user string) *socket {
	return &socket{user: user, ready: make(chan struct{}), done: make(chan struct{})}
}

// taken is a response whose connection is taken over: before that, the socket is
// entered in the book, so that the peer finds it there once it has the answer.
type taken struct {
	http.ResponseWriter
	before func()
}

func (t taken) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	t.before()
	return http.NewResponseController(t.ResponseWriter).Hijack()
}

// on runs do when the handshake is over, if it went well.
func (s *socket) on(do func(*websocket.Conn)) {
	if <-s.ready; s.conn != nil {
		do(s.conn)
	}
}

// send sends a text frame.
func (s *socket) send(text []byte) {
	s.on(func(conn *websocket.Conn) {
		s.write.Lock()
		defer s.write.Unlock()
		conn.WriteMessage(websocket.TextMessage, text)
	})
}

func (s *socket) close(code int, reason string) {
	s.on(func(conn *websocket.Conn) {
		conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
	})
}

// drop ends the connection without a close frame.
func (s *socket) drop() {
	s.on(func(conn *websocket.Conn) { conn.NetConn().Close() })
}

// giveUp closes with a code and swallows what is still coming, so that the peer
// gets to read the code.
func (s *socket) giveUp(code int) {
	s.close(code, "")
	conn := s.conn.NetConn()
	conn.SetReadDeadline(time.Now().Add(time.Second))
	io.Copy(io.Discard, conn)
}

// beat pings, and gives the socket up when a pong has not come by the next ping.
func (s *socket) beat(every time.Duration) {
	conn := s.conn
	s.pong.Store(true)
	conn.SetPongHandler(func(string) error { s.pong.Store(true); return nil })
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
		}
		if !s.pong.Swap(false) {
			s.close(websocket.CloseInternalServerErr, "keepalive ping timeout")
			conn.Close()
			return
		}
		var payload [4]byte
		rand.Read(payload[:])
		conn.WriteControl(websocket.PingMessage, payload[:], time.Now().Add(time.Second))
	}
}
