package soak

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// lostWindow is how soon after a close a socket of the same person is never spoken
// to, at the real Cat.
const lostWindow = 20 * time.Millisecond

// frame is what goes over a socket, either way.
type frame struct {
	Type string `json:"type,omitempty"`
	Name string `json:"name,omitempty"` // of an error
	Text string `json:"text"`
	// Seq counts a person's answers.
	Seq uint32 `json:"seq,omitempty"`
}

// Of so many turns one takes slowTurn, and one is interrupted: its connection breaks
// while it runs.
const (
	slowTurns   = 16
	interrupted = 256
	slowTurn    = 200 * time.Millisecond
)

// Cat answers with what it was told, most often at once, and has the faults of the real
// one: it speaks to the newest socket of a person, to none once any has closed, and to
// none that opens too soon after a close. The handler of a connection stays until its
// turn is over. It counts, also over restarts.
type Cat struct {
	addr string

	mu     sync.Mutex
	server *http.Server // nil while it is down
	people map[string]*speaker
	live   map[*websocket.Conn]bool
	Heard
}

// Heard is what a Cat has counted.
type Heard struct {
	Messages int
	Doubled  int // messages that came again
	Sockets  int // that were opened
	// Interrupted are the turns whose connection was broken from here.
	Interrupted int
}

// speaker is one person as the Cat knows them.
type speaker struct {
	conn   *websocket.Conn // that is spoken to; nil for none
	closed time.Time
	last   int
	seq    uint32
}

// ServeCat serves a new Cat at an address.
func ServeCat(addr string) (*Cat, error) {
	c := &Cat{addr: addr, people: map[string]*speaker{}, live: map[*websocket.Conn]bool{}}
	return c, c.up()
}

func (c *Cat) up() error {
	l, err := net.Listen("tcp", c.addr)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addr = l.Addr().String()
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 5 * time.Second}
	go func(s *http.Server) { _ = s.Serve(l) }(c.server) // until it is closed
	return nil
}

// Addr is where the Cat listens.
func (c *Cat) Addr() string { return c.addr }

// Close ends everything without a close frame.
func (c *Cat) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil {
		_ = c.server.Close()
		c.server = nil
	}
	for conn := range c.live {
		_ = conn.NetConn().Close()
	}
}

// Restart closes the Cat and serves it again after a while.
func (c *Cat) Restart(down time.Duration) error {
	c.Close()
	time.Sleep(down)
	return c.up()
}

// Counted returns what was heard so far.
func (c *Cat) Counted() Heard {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Heard
}

// ServeHTTP refuses strangers, as a Cat must.
func (c *Cat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	person, chat := strings.CutPrefix(r.URL.Path, "/ws/")
	switch {
	case chat && r.URL.Query().Get("token") != "":
		up := websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 512}
		if conn, err := up.Upgrade(w, r, nil); err == nil {
			c.serve(person, conn)
		}
	case chat || r.Header.Get("Authorization") == "":
		http.Error(w, `{"detail":{"error":"Invalid Credentials"}}`, http.StatusForbidden)
	default:
		_, _ = io.WriteString(w, "[]") // a client that has gone needs none
	}
}

func (c *Cat) serve(person string, conn *websocket.Conn) {
	defer conn.Close()
	s := c.opened(person, conn)
	for {
		var f frame
		_, p, err := conn.ReadMessage()
		if err != nil || json.Unmarshal(p, &f) != nil {
			break
		}
		c.turn(s, conn, f.Text)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, conn)
	s.conn, s.closed = nil, time.Now()
}

func (c *Cat) opened(person string, conn *websocket.Conn) *speaker {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.people[person]
	if s == nil {
		s = &speaker{}
		c.people[person] = s
	}
	s.conn = conn
	if time.Since(s.closed) < lostWindow {
		s.conn = nil
	}
	c.live[conn] = true
	c.Sockets++
	return s
}

// turn answers one message. A person's messages come one after another here, so
// that nothing but the Cat's lock keeps two writes to a socket apart. The answer goes to
// the socket that the person has when the turn ends.
func (c *Cat) turn(s *speaker, from *websocket.Conn, text string) {
	var n int
	_, scanned := fmt.Sscan(text, &n)
	c.mu.Lock()
	c.Messages++
	if scanned != nil || n <= s.last {
		c.Doubled++
	}
	s.last = max(s.last, n)
	s.seq++
	answer, err := json.Marshal(frame{Type: "chat", Text: text, Seq: s.seq})
	breaks := rand.IntN(interrupted) == 0
	if breaks {
		c.Interrupted++
	}
	c.mu.Unlock()
	if breaks {
		_ = from.NetConn().Close()
	}
	if breaks || rand.IntN(slowTurns) == 0 {
		time.Sleep(slowTurn)
	}
	c.mu.Lock()
	conn := s.conn
	c.mu.Unlock()
	if err == nil && conn != nil {
		_ = conn.WriteMessage(websocket.TextMessage, answer) // its reader finds the end
	}
}
