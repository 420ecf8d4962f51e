package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/e2e/parts"
	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/internal/wsconn"
	"github.com/catflap/catflap/proxy/chat"
)

func TestMain(m *testing.M) {
	logging.Disable()
	// The client looks every second whether it has been closed, where Redis is down.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"), goleak.Cleanup(func(code int) {
		for _, wrong := range lock.Check(chat.LockOrder()) {
			fmt.Fprintln(os.Stderr, "LOCKS:", wrong)
			code = 1
		}
		os.Exit(code)
	}))
}

// short is quick enough for tests, and slow enough for a busy machine.
func short() times {
	return times{
		lease: 1500 * time.Millisecond, renew: 300 * time.Millisecond, margin: 300 * time.Millisecond, rest: 150 * time.Millisecond,
		beat: 200 * time.Millisecond, silent: time.Second, call: time.Second,
	}
}

// server is a real Redis, on this machine alone.
type server struct {
	addr    string
	program *exec.Cmd
	times   times
}

func startRedis(t testing.TB) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: l.Addr().String(), times: short()}
	_ = l.Close()
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

func (s *server) start(t testing.TB) {
	t.Helper()
	binary, env, err := parts.Redis()
	parts.Need(t, err)
	_, port, _ := net.SplitHostPort(s.addr)
	s.program = exec.Command(binary, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	s.program.Env = append(os.Environ(), env...)
	if err := s.program.Start(); err != nil {
		t.Fatal(err)
	}
	c := s.client()
	defer c.Close()
	eventually(t, "redis-server answers", func() bool { return c.Ping(context.Background()).Err() == nil })
}

func (s *server) kill() {
	_ = s.program.Process.Kill()
	_ = s.program.Wait()
}

func (s *server) client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: s.addr, Protocol: 2, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, DialTimeout: time.Second, ReadTimeout: time.Second, DisableIdentity: true,
	})
}

func (s *server) fleet(t testing.TB, log *slog.Logger) *Fleet {
	t.Helper()
	c := s.client()
	f, err := New(Options{Client: c, Keys: [][]byte{[]byte("a key of more than thirty-two bytes, for tests")}, Log: log, times: s.times})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return f
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("never: " + what)
}

// cat has the faults of the real one: it speaks to the newest socket of a user, and
// to none once any has closed, or that opens within 20 ms of a close.
type cat struct {
	*httptest.Server
	mu     sync.Mutex
	entry  map[string]*websocket.Conn
	closed map[string]time.Time
	live   map[string]int
	most   int // sockets of one user at one time
	heard  map[string]int
}

func newCat(t testing.TB) *cat {
	c := &cat{entry: map[string]*websocket.Conn{}, closed: map[string]time.Time{}, live: map[string]int{}, heard: map[string]int{}}
	up := websocket.Upgrader{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, err := up.Upgrade(w, r, nil); err == nil {
			c.serve(r.URL.Path, conn)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *cat) serve(user string, conn *websocket.Conn) {
	defer conn.Close()
	c.mu.Lock()
	if time.Since(c.closed[user]) < 20*time.Millisecond {
		delete(c.entry, user)
	} else {
		c.entry[user] = conn
	}
	c.live[user]++
	c.most = max(c.most, c.live[user])
	c.mu.Unlock()
	for {
		_, p, err := conn.ReadMessage()
		if err != nil {
			break
		}
		var m struct{ Text string }
		_ = json.Unmarshal(p, &m)
		c.mu.Lock()
		c.heard[m.Text]++
		c.mu.Unlock()
		if took, ok := strings.CutPrefix(m.Text, "sleep "); ok {
			took, _, _ = strings.Cut(took, " ")
			d, _ := time.ParseDuration(took)
			time.Sleep(d)
		}
		c.say(user, frame{Type: "chat_token", Content: m.Text})
		c.say(user, frame{Type: "chat", Content: m.Text})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entry, user)
	c.live[user]--
	c.closed[user] = time.Now()
}

func (c *cat) say(user string, f frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn := c.entry[user]; conn != nil {
		_ = conn.WriteJSON(f)
	}
}

func (c *cat) times(text string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard[text]
}

func (c *cat) highest() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most
}

func (c *cat) now(user string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live[user]
}

type frame struct {
	Type    string `json:"type"`
	Content string `json:"content,omitempty"`
	Name    string `json:"name,omitempty"`
}

// flap is one process of the fleet, as far as sockets go.
type flap struct {
	*httptest.Server
	t     testing.TB
	hub   *chat.Hub
	fleet *Fleet

	warned warned
	mu     sync.Mutex
	conns  []*websocket.Conn // at the Cat
	events map[chat.EventKind]int
	dead   bool
}

func (s *server) flap(t testing.TB, c *cat, change func(*chat.Settings)) *flap {
	t.Helper()
	f := &flap{t: t, events: map[chat.EventKind]int{}}
	f.fleet = s.fleet(t, slog.New(slog.NewTextHandler(&f.warned, nil)))
	set := chat.Settings{Ping: 30 * time.Second, MaxMessage: 16 << 20, MaxReply: 64 << 20, Linger: 500 * time.Millisecond, ReconnectFor: 20 * time.Second}
	if change != nil {
		change(&set)
	}
	f.hub = chat.NewHub(chat.Options{Settings: set, Fleet: f.fleet, Observe: func(e chat.Event) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.events[e.Kind]++
	}})
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Path
		err := f.hub.Join(r.Context(), chat.Joining{
			User: &authhandlers.AuthUserInfo{ID: user, Issuer: "i", Subject: user, Handler: "h"},
			Dial: func(ctx context.Context) (*websocket.Conn, error) {
				conn, resp, err := wsconn.Dialer(5*time.Second, nil, nil).DialContext(ctx, "ws"+c.URL[4:]+user, nil)
				if resp != nil {
					_ = resp.Body.Close()
				}
				if err == nil {
					f.mu.Lock()
					f.conns = append(f.conns, conn)
					f.mu.Unlock()
				}
				return conn, err
			},
			Upgrade: func() (*websocket.Conn, error) { return wsconn.Upgrader().Upgrade(w, r, nil) },
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(f.stop)
	return f
}

// warned is a log, of which it is remembered whether anything came.
type warned struct{ atomic.Bool }

func (w *warned) Write(p []byte) (int, error) {
	w.Store(true)
	return len(p), nil
}

func (f *flap) hasWarned() bool { return f.warned.Load() }

// stop is a clean end.
func (f *flap) stop() {
	f.mu.Lock()
	dead := f.dead
	f.dead = true
	f.mu.Unlock()
	if dead {
		return
	}
	f.shutdown()
	f.fleet.Close()
}

func (f *flap) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := f.hub.Shutdown(ctx); err != nil {
		f.t.Error("shutdown:", err)
	}
	f.Close()
}

// crash ends it as a SIGKILL does: nobody is told, and its connections break.
func (f *flap) crash() {
	f.mu.Lock()
	f.dead = true
	conns := f.conns
	f.mu.Unlock()
	f.fleet.end()
	f.fleet.mu.Lock()
	clear(f.fleet.claims)
	f.fleet.lapse.Stop()
	f.fleet.mu.Unlock()
	f.fleet.running.Wait()
	for _, c := range conns {
		_ = c.NetConn().Close()
	}
	f.t.Cleanup(f.shutdown)
}

func (f *flap) open(t testing.TB, user string) *websocket.Conn {
	t.Helper()
	c, err := f.try(t, user)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// again opens a socket as a client that is refused for a while, and tries once more.
func (f *flap) again(t testing.TB, user string) (c *websocket.Conn) {
	t.Helper()
	eventually(t, "a socket opens", func() (ok bool) {
		var err error
		c, err = f.try(t, user)
		return err == nil
	})
	return c
}

func (f *flap) try(t testing.TB, user string) (*websocket.Conn, error) {
	d := websocket.Dialer{HandshakeTimeout: 15 * time.Second}
	c, resp, err := d.DialContext(t.Context(), "ws"+f.URL[4:]+user, nil)
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	} else if resp != nil {
		why, _ := io.ReadAll(resp.Body)
		err = fmt.Errorf("%w: %s", err, why)
	}
	return c, err
}

func ask(t testing.TB, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.WriteJSON(map[string]string{"text": text}); err != nil {
		t.Error(err)
	}
}

// answer reads until a turn ends.
func answer(t testing.TB, c *websocket.Conn) frame {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(15 * time.Second))
	for {
		_, p, err := c.ReadMessage()
		if err != nil {
			t.Errorf("nothing is heard: %v", err)
			return frame{}
		}
		var f frame
		if json.Unmarshal(p, &f) == nil && (f.Type == "chat" || f.Type == "error") {
			return f
		}
	}
}

// silent asserts that no turn ends for a while. The socket can't be read afterwards.
func silent(t testing.TB, c *websocket.Conn, d time.Duration) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(d))
	for {
		_, p, err := c.ReadMessage()
		if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
			return
		}
		if err != nil {
			t.Errorf("it is closed: %v", err)
			return
		}
		t.Errorf("%q comes", p)
	}
}
