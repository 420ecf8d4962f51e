package standin

import (
	"io/fs"
	"net/http"
	"sync"
	"time"
)

// Version is the version that the stand-in says it is.
const Version = "1.9.2"

// targetLimit is the longest path and query that the Cat's server reads.
const targetLimit = 65535

// Options are the settings of a Cat; the zero value is a Cat as it comes, open to
// everybody.
type Options struct {
	// APIKey and APIKeyWS are the two keys; empty means not set. With only one of
	// them set, the other side is open, as at the real Cat.
	APIKey   string
	APIKeyWS string

	// JWTSecret signs the Cat's own tokens. Default: "secret", which is the Cat's.
	JWTSecret string

	// Now is the clock for tokens, memories and the window in which a reopened
	// socket is lost. Default: time.Now.
	Now func() time.Time

	// Reply makes the answer of a turn. Default: it says what was said.
	Reply func(user, text string) string

	// FailedLogin is how long a refused password takes. Default: one second.
	FailedLogin time.Duration

	// CheckPassword is how long a password takes to be looked at, for a name that there
	// is. The real Cat takes a quarter of a second or more, in which it does nothing
	// else; the default is no time.
	CheckPassword time.Duration

	// PingEvery is the time between the pings on a socket, and how long a pong may
	// take. Default: 20 seconds.
	PingEvery time.Duration

	// KeepAlive is how long an idle connection lives. Default: 5 seconds.
	KeepAlive time.Duration

	// Static is further files of the Cat's static folder, which anybody may read.
	Static fs.FS

	// DocumentsPlugin means that a plugin keeps documents apart by person.
	DocumentsPlugin bool

	// WithoutCORS and WithoutDocs are the Cat's switches of these names.
	WithoutCORS bool
	WithoutDocs bool
}

// Cat is a stand-in Cat with all that it remembers.
type Cat struct {
	options Options
	table   []route
	turns   chan struct{} // the Cat's 40 threads
	stopped chan struct{}
	stop    sync.Once

	seen    requestLog
	sockets socketBook

	mu       sync.Mutex // guards everything below
	accounts []*Account
	sessions sessionCache
	memory   vectorMemory
	settings settingStore
	plugins  []*plugin
	cut      int
}

// New returns a Cat with the two accounts of a fresh install, admin and user.
func New(o Options) *Cat {
	if o.JWTSecret == "" {
		o.JWTSecret = "secret"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Reply == nil {
		o.Reply = func(_, text string) string { return "You said: " + text }
	}
	if o.FailedLogin == 0 {
		o.FailedLogin = time.Second
	}
	if o.PingEvery == 0 {
		o.PingEvery = 20 * time.Second
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 5 * time.Second
	}
	c := &Cat{
		options:  o,
		turns:    make(chan struct{}, 40),
		stopped:  make(chan struct{}),
		sockets:  newSocketBook(),
		sessions: newSessionCache(),
		settings: newSettingStore(o.Now),
		plugins:  freshPlugins(),
	}
	c.memory = newVectorMemory(c.seconds())
	c.AddAccount("admin", "admin", FullPermissions())
	c.AddAccount("user", "user", BasePermissions())
	c.table = c.routes()
	return c
}

// ServeHTTP answers as the Cat does. Served by [Start] or [Cat.Server] it also
// treats its connections as the Cat does.
func (c *Cat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := c.exchangeOf(w, r)
	defer func() { c.seen.update(e.seen, func(r *Request) { r.Status = e.status }) }()
	w.Header().Set("Server", "uvicorn")
	if len(r.RequestURI) > targetLimit {
		w.Header().Set("Connection", "close")
		e.write(http.StatusBadRequest, "text/plain; charset=utf-8", []byte("Invalid HTTP request received."))
		return
	}
	if !c.options.WithoutCORS && e.preflight() {
		return
	}
	c.dispatch(e)
}

// Close ends every socket without a close frame, as the Cat does on SIGTERM, and
// lets sleeping turns go.
func (c *Cat) Close() {
	c.stop.Do(func() { close(c.stopped) })
	c.sockets.dropAll()
}
