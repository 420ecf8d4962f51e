package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sessionHeader = "X-Legacy-Session"

// service knows people by the value of a header: "s-alice" is alice's.
type service struct {
	server *httptest.Server
	asked  atomic.Int64

	mu     sync.Mutex
	answer http.HandlerFunc // instead
	last   http.Header
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer := s.answer
	s.last = r.Header.Clone()
	s.mu.Unlock()
	s.asked.Add(1)
	if answer != nil {
		answer(w, r)
		return
	}
	name, ok := strings.CutPrefix(r.Header.Get(sessionHeader), "s-")
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	says(`{"user_id":"`+name+`","name":"Name of `+name+`","groups":["/cat-users"]}`)(w, r)
}

func says(text string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = w.Write([]byte(text))
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// answers has the service answer like this; nil ends that.
func (s *service) answers(f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func (s *service) seen() http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *service) config() *webhook.Config {
	c := webhook.NewConfig()
	c.URL, c.SendHeaders, c.Groups = s.server.URL+"/whoami", []string{sessionHeader}, "groups"
	return c
}

func open(t testing.TB, env authhandlers.Env, c *webhook.Config) authhandlers.AuthHandler {
	t.Helper()
	h, err := authhandlers.Open(t.Context(), c, env)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// fixture is a handler between its clock and its service.
type fixture struct {
	*service
	clock *authtest.Clock
	h     authhandlers.AuthHandler
}

func newFixture(t testing.TB, change func(*webhook.Config)) *fixture {
	t.Helper()
	clock := authtest.NewClock()
	f := &fixture{service: newService(t), clock: clock}
	c := f.config()
	if change != nil {
		change(c)
	}
	f.h = open(t, authtest.NewEnv(t, clock), c)
	f.ready(t, true)
	f.asked.Store(0)
	return f
}

func (f *fixture) ready(t testing.TB, want bool) (reason error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		reason = f.h.(authhandlers.Prober).Ready(t.Context())
		if (reason == nil) == want {
			return reason
		}
		if time.Now().After(deadline) {
			t.Fatalf("never ready: %v; %v", want, reason)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// with is a request with these headers, as name and value.
func with(header ...string) *authhandlers.Request {
	r := authtest.NewRequest()
	for i := 0; i+1 < len(header); i += 2 {
		r.HTTP.Header.Add(header[i], header[i+1])
	}
	return r
}

func (f *fixture) ask(t testing.TB, header ...string) (*authhandlers.AuthUserInfo, error) {
	t.Helper()
	return f.h.Authenticate(t.Context(), with(header...))
}

// code tells a refusal by its code, a fault, and nothing wrong by "".
func code(err error) string {
	if r, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		return string(r.Code)
	}
	switch {
	case err == nil:
		return ""
	case errors.Is(err, authhandlers.ErrNoCredential):
		return "passed on"
	case errors.Is(err, authhandlers.ErrSetup):
		return "setup"
	}
	return "fault"
}
