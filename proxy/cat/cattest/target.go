package cattest

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"testing"
)

// Target is the Cat that is asked.
type Target struct {
	URL       string
	APIKey    string
	APIKeyWS  string
	JWTSecret string // empty: nothing about tokens is asked

	// Echoes: "hi" is answered with "You said: hi" and as chat_token frames, and
	// "sleep 0.5" takes that long, "big 1000" is answered with as many letters and
	// "fail" fails.
	Echoes bool
	// Plugin: GET /custom/ping, /custom/stream?n=&ms= and POST /custom/echo are there
	// for anybody, and GET /custom/whoami for CONVERSATION:READ.
	Plugin bool
	// Rights: GET /custom/rights says for CONVERSATION:READ what user_data holds, as
	// {"user_id", "permissions"}, and so does the answer to "rights" (a hook's), and GET
	// /custom/guarded is there for SETTINGS:WRITE.
	Rights bool
	// MayWipe: the Cat's whole memory may be deleted.
	MayWipe bool
}

// Run puts every question to the Cat.
func Run(t *testing.T, target Target) {
	t.Helper()
	s := newSuite(t, target)
	for _, q := range s.questions() {
		t.Run(q.name, q.ask)
	}
}

// question is one part of what is asked.
type question struct {
	name string
	ask  func(*testing.T)
}

// questions are all of them in their order; the last can leave a broken Cat behind.
func (s *suite) questions() []question {
	return []question{
		{"Doors", s.doors},
		{"HTTPCredentials", s.httpCredentials},
		{"SocketCredentials", s.socketCredentials},
		{"Login", s.login},
		{"Users", s.users},
		{"Tokens", s.tokens},
		{"Plugins", s.plugins},
		{"Isolation", s.isolation},
		{"Names", s.names},
		{"Sockets", s.sockets},
		{"SocketFrames", s.socketFrames},
		{"TwoSockets", s.twoSockets},
		{"ReplacedInTurn", s.replacedInTurn},
		{"AdminPages", s.adminPages},
		{"Manners", s.manners},
		{"CrossOrigin", s.crossOrigin},
		{"Endpoints", s.endpoints},
		{"Forgetting", s.forgetting},
		{"AtOnce", s.atOnce},
	}
}

// suite is one run against one Cat.
type suite struct {
	Target
	host string
	tag  string // makes names that no other run has used
}

func newSuite(t *testing.T, target Target) *suite {
	t.Helper()
	u, err := url.Parse(target.URL)
	if err != nil {
		t.Fatalf("the Cat's address: %v", err)
	}
	var b [4]byte
	rand.Read(b[:])
	return &suite{target, u.Host, hex.EncodeToString(b[:])}
}

// name is a user id of this run.
func (s *suite) name(n string) string { return n + "-" + s.tag }

// key is the header lines of the API key, none if it is not set.
func (s *suite) key(more ...string) []string {
	if s.APIKey == "" {
		return more
	}
	return append([]string{"Authorization: Bearer " + s.APIKey}, more...)
}

// as is the header lines of the API key and a user id.
func (s *suite) as(user string) []string { return s.key("user_id: " + user) }

func (s *suite) bothKeys(t *testing.T) {
	t.Helper()
	if s.APIKey == "" || s.APIKeyWS == "" {
		t.Skip("the Cat does not have both keys")
	}
}

// once skips what takes long and is the same whatever keys the Cat has.
func (s *suite) once(t *testing.T) {
	t.Helper()
	s.bothKeys(t)
}

func (s *suite) secret(t *testing.T) {
	t.Helper()
	if s.JWTSecret == "" {
		t.Skip("the Cat's JWT secret is not known")
	}
}

func (s *suite) plugin(t *testing.T) {
	t.Helper()
	if !s.Plugin {
		t.Skip("the Cat has no plugin for tests")
	}
}

func (s *suite) echoes(t *testing.T) {
	t.Helper()
	if !s.Echoes {
		t.Skip("the Cat does not echo")
	}
}

const (
	ok        = http.StatusOK
	forbidden = http.StatusForbidden
	fault     = http.StatusInternalServerError
)
