package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/lock"
	"github.com/catflap/catflap/internal/wsconn"
)

var (
	shared = Settings{
		Mode: Shared, Ping: 30 * time.Second, MaxMessage: 16 << 20, MaxReply: 64 << 20, Linger: 300 * time.Millisecond, ReconnectFor: 10 * time.Second,
	}
	separate = Settings{Mode: Separate, Ping: 30 * time.Second, MaxMessage: 16 << 20}
)

// inBothModes runs what holds for both.
func inBothModes(t *testing.T, test func(*testing.T, Settings)) {
	t.Helper()
	t.Run("shared", func(t *testing.T) { test(t, shared) })
	t.Run("separate", func(t *testing.T) { test(t, separate) })
}

// TestMain finds goroutines that are left, and locks that were taken out of order.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		for _, wrong := range lock.Check(LockOrder()) {
			fmt.Fprintln(os.Stderr, "LOCKS:", wrong)
			code = 1
		}
		os.Exit(code)
	}))
}

// lab is a hub between clients and a Cat whose sockets a test serves.
type lab struct {
	page   bool          // whether clients are pages of a browser
	within atomic.Uint64 // the rights that the last socket at the Cat was opened within
	hub    *Hub
	cat    *httptest.Server
	front  *httptest.Server

	catAddr   string                        // if set, of another Cat
	byUser    func(string, *websocket.Conn) // if set, serves at the Cat
	gate      func() bool                   // if set, called before a handshake at the Cat is answered
	refuses   atomic.Bool                   // the Cat refuses handshakes
	refused   atomic.Int64                  // how many it has
	upgrading func()                        // if set, called before a client is answered

	now    atomic.Int64
	expiry atomic.Int64

	mu     sync.Mutex
	events []Event
	errs   []error
	spans  []span // the sockets at the Cat, by user
}

type span struct {
	user      string
	from, til time.Time
}

// echo sends back what it gets.
func echo(c *websocket.Conn) {
	for {
		kind, p, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, p) != nil {
			return
		}
	}
}

func newLab(t testing.TB, settings Settings, serve func(*websocket.Conn)) *lab {
	t.Helper()
	return newLabOf(t, Options{Settings: settings}, serve)
}

func newLabOf(t testing.TB, o Options, serve func(*websocket.Conn)) *lab {
	t.Helper()
	l := &lab{}
	l.now.Store(time.Now().UnixNano())
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	l.cat = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.refuses.Load() {
			l.refused.Add(1)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if l.gate != nil {
			l.gate()
		}
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		s := span{user: r.URL.Path, from: time.Now()}
		if l.byUser != nil {
			l.byUser(r.URL.Path, c)
		} else {
			serve(c)
		}
		s.til = time.Now()
		_ = c.Close()
		l.mu.Lock()
		l.spans = append(l.spans, s)
		l.mu.Unlock()
	}))
	o.Now, o.Observe = func() time.Time { return time.Unix(0, l.now.Load()) }, l.observe
	l.hub = NewHub(o)
	l.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := info(r.URL.Path)
		u.Session = r.URL.Query().Get("session")
		u.Issuer = cmp.Or(r.URL.Query().Get("issuer"), u.Issuer)
		if at := l.expiry.Load(); at != 0 {
			u.Expiry = time.Unix(0, at)
		}
		path := r.URL.Path
		err := l.hub.Join(r.Context(), Joining{
			Page: l.page, Group: r.URL.Query().Get("group"),
			User: u, ID: r.URL.Query().Get("id"),
			Dial: func(ctx context.Context) (*websocket.Conn, error) { return l.dialCat(ctx, path) },
			Upgrade: func() (*websocket.Conn, error) {
				if l.upgrading != nil {
					l.upgrading()
				}
				return wsconn.Upgrader().Upgrade(w, r, nil)
			},
		})
		if err != nil {
			l.mu.Lock()
			l.errs = append(l.errs, err)
			l.mu.Unlock()
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := l.hub.Shutdown(ctx); err != nil {
			t.Error("shutdown:", err)
		}
		l.front.Close()
		l.cat.Close()
	})
	return l
}

func (l *lab) dial(ctx context.Context, s *httptest.Server, user string) (*websocket.Conn, error) {
	c, resp, err := wsconn.Dialer(5*time.Second, nil, nil).DialContext(ctx, "ws"+strings.TrimPrefix(s.URL, "http")+user, nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
	return c, err
}

func (l *lab) dialCat(ctx context.Context, user string) (*websocket.Conn, error) {
	l.within.Store(uint64(Within(ctx)))
	if l.catAddr == "" {
		return l.dial(ctx, l.cat, user)
	}
	return l.dial(ctx, &httptest.Server{URL: "http://" + l.catAddr}, user)
}

// info is a user of the lab.
func info(user string) *authhandlers.AuthUserInfo {
	return &authhandlers.AuthUserInfo{ID: user, Issuer: "i", Subject: user, Handler: "h"}
}

// joining is a join without a client. A nil dial is the Cat's.
func (l *lab) joining(user string, dial func() (*websocket.Conn, error)) Joining {
	j := Joining{
		User:    info(user),
		Dial:    func(ctx context.Context) (*websocket.Conn, error) { return l.dialCat(ctx, user) },
		Upgrade: func() (*websocket.Conn, error) { return nil, errors.New("nobody is there") },
	}
	if dial != nil {
		j.Dial = func(context.Context) (*websocket.Conn, error) { return dial() }
	}
	return j
}

// places returns how many places a person holds.
func (l *lab) places(user string) int {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	if p := l.hub.people[info(user).Key()]; p != nil {
		return len(p.clients)
	}
	return 0
}

func (l *lab) observe(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

func (l *lab) open(t *testing.T, user string) *websocket.Conn {
	t.Helper()
	c, err := l.dial(t.Context(), l.front, user)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// closed waits for the closings of n sockets and returns the last. A reason that is
// empty is any.
func (l *lab) closed(t *testing.T, n, code int, reason string) Event {
	t.Helper()
	var last Event
	l.eventually(t, "a closing is told", func() bool {
		seen := 0
		for _, e := range l.events {
			if e.Kind == EventClose {
				last = e
				seen++
			}
		}
		return seen >= n
	})
	if last.Code != code || reason != "" && last.Reason != reason {
		t.Errorf("told of as %d %q", last.Code, last.Reason)
	}
	return last
}

// closedWith reads until the end and returns the close code and reason.
func closedWith(t *testing.T, c *websocket.Conn) (int, string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
				return closed.Code, closed.Text
			}
			return websocket.CloseAbnormalClosure, err.Error()
		}
	}
}

func (l *lab) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		l.mu.Lock()
		done := ok()
		l.mu.Unlock()
		if done {
			return
		}
	}
	t.Fatal("never: " + what)
}
