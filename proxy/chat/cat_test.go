package chat

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// fakeCat has the faults of the real one: it speaks to the newest socket of a user,
// to none once any has closed, and to none that opens within 20 ms of a close. It
// answers one message after another, and a connection that has ended counts as closed
// only behind its last turn.
type fakeCat struct {
	loop   sync.RWMutex // locked, the Cat is blocked
	writer sync.Mutex
	gates  sync.Map // by text: a chan struct{}
	mu     sync.Mutex
	entry  map[string]*websocket.Conn
	closed map[string]time.Time
	live   map[*websocket.Conn]string
	heard  map[string]int // texts, by how often
	opened map[string]int
	frames int // from anybody
}

// catFrame is what the fake Cat says.
type catFrame struct {
	Type        string `json:"type"`
	Content     string `json:"content,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Why         *why   `json:"why,omitempty"`
}

type why struct {
	Input string `json:"input"`
}

func newCatLab(t testing.TB, o Options) (*lab, *fakeCat) {
	t.Helper()
	c := &fakeCat{
		entry: map[string]*websocket.Conn{}, closed: map[string]time.Time{}, live: map[*websocket.Conn]string{},
		heard: map[string]int{}, opened: map[string]int{},
	}
	l := newLabOf(t, o, nil)
	l.byUser, l.gate = c.serve, c.pass
	return l, c
}

func (c *fakeCat) serve(user string, conn *websocket.Conn) {
	c.mu.Lock()
	c.live[conn] = user
	c.opened[user]++
	if time.Since(c.closed[user]) < 20*time.Millisecond {
		delete(c.entry, user)
	} else {
		c.entry[user] = conn
	}
	c.mu.Unlock()
	for p := range c.ahead(conn) {
		c.turn(user, p)
	}
	if c.pass() {
		time.Sleep(30 * time.Millisecond) // what has begun in the meantime comes first
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entry, user)
	delete(c.live, conn)
	c.closed[user] = time.Now()
}

// ahead reads messages before their turn comes, and answers a close at once. Those that
// have come have their turn, also when the connection has ended.
func (c *fakeCat) ahead(conn *websocket.Conn) <-chan []byte {
	queue := make(chan []byte, 1000)
	pong := conn.PingHandler()
	conn.SetPingHandler(func(s string) error {
		c.pass()
		return pong(s)
	})
	go func() {
		defer close(queue)
		for {
			_, p, err := conn.ReadMessage()
			if err != nil {
				_ = conn.NetConn().Close()
				return
			}
			queue <- p
		}
	}()
	return queue
}

// pass waits while the Cat is blocked, and reports whether it was.
func (c *fakeCat) pass() bool {
	blocked := !c.loop.TryRLock()
	if blocked {
		c.loop.RLock()
	}
	c.loop.RUnlock()
	return blocked
}

// turn answers a message in one word and a whole; "sleep D" takes that long, "until X"
// waits to be set free, "fail" fails, and "flood N M" says N things of M bytes first.
func (c *fakeCat) turn(user string, p []byte) {
	c.mu.Lock()
	c.frames++
	c.mu.Unlock()
	var m struct{ Text string }
	if json.Unmarshal(p, &m) != nil {
		_ = c.say(user, catFrame{Type: "error", Name: "NotJSON"})
		return
	}
	c.mu.Lock()
	c.heard[m.Text]++
	c.mu.Unlock()
	verb, rest, _ := strings.Cut(m.Text, " ")
	switch verb {
	case "sleep":
		took, _, _ := strings.Cut(rest, " ")
		if d, err := time.ParseDuration(took); err == nil {
			time.Sleep(d)
		}
	case "until":
		<-c.gate(m.Text)
	case "fail":
		_ = c.say(user, catFrame{Type: "error", Name: "ValueError", Description: m.Text})
		return
	case "flood":
		var n, size int
		_, _ = fmt.Sscan(rest, &n, &size)
		for i := range n {
			// Nobody is there any more: what waits to be read would be answered for a minute.
			if c.say(user, catFrame{Type: "notification", Content: fmt.Sprintf("%d %s", i, strings.Repeat("x", size))}) != nil {
				break
			}
		}
	}
	_ = c.say(user, catFrame{Type: "chat_token", Content: m.Text})
	_ = c.say(user, catFrame{Type: "chat", Content: m.Text, Why: &why{m.Text}})
}

func (c *fakeCat) say(user string, f catFrame) error {
	b, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	c.mu.Lock()
	conn := c.entry[user]
	c.mu.Unlock()
	if conn == nil {
		return nil
	}
	c.writer.Lock()
	defer c.writer.Unlock()
	return conn.WriteMessage(websocket.TextMessage, b)
}

// gate is what a message that begins with "until" waits for.
func (c *fakeCat) gate(text string) chan struct{} {
	g, _ := c.gates.LoadOrStore(text, make(chan struct{}))
	return g.(chan struct{})
}

func (c *fakeCat) free(text string) { close(c.gate(text)) }

func (c *fakeCat) speaksTo(user string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entry[user] != nil
}

// restart drops every connection without a close.
func (c *fakeCat) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.live {
		_ = conn.NetConn().Close()
	}
}

func (c *fakeCat) times(text string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard[text]
}

func (c *fakeCat) sockets(user string) (ever, now int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range slices.Collect(maps.Values(c.live)) {
		if u == user {
			now++
		}
	}
	return c.opened[user], now
}

func ask(t testing.TB, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.WriteJSON(map[string]string{"text": text}); err != nil {
		t.Error(err)
	}
}

// hear reads the next frame.
func hear(t testing.TB, c *websocket.Conn) catFrame {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	_, p, err := c.ReadMessage()
	if err != nil {
		t.Fatalf("nothing is heard: %v", err)
	}
	var f catFrame
	if err := json.Unmarshal(p, &f); err != nil {
		t.Fatalf("%q: %v", p, err)
	}
	return f
}

// answer reads until a turn ends, and returns its last frame.
func answer(t testing.TB, c *websocket.Conn) catFrame {
	t.Helper()
	for {
		if f := hear(t, c); f.Type == "chat" || f.Type == "error" {
			return f
		}
	}
}

// silent asserts that nothing comes for a while.
func silent(t *testing.T, c *websocket.Conn, d time.Duration) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(d))
	if _, p, err := c.ReadMessage(); err == nil {
		t.Errorf("%q comes", p)
	}
}

func leave(c *websocket.Conn) {
	closer(websocket.FormatCloseMessage(websocket.CloseGoingAway, ""))(c)
	_ = c.Close()
}
