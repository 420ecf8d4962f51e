package webhook_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/webhook"
)

func TestConformance(t *testing.T) {
	for name, row := range map[string]struct {
		change  func(*webhook.Config)
		request func(person string) *authhandlers.Request
	}{
		"a header": {
			func(*webhook.Config) {},
			func(person string) *authhandlers.Request { return with(sessionHeader, "s-"+person) },
		},
		"a cookie": {
			func(c *webhook.Config) { c.SendHeaders, c.SendCookies = nil, []string{"PHPSESSID"} },
			func(person string) *authhandlers.Request { return with("Cookie", "a=b; PHPSESSID=s-"+person) },
		},
		"Authorization": {
			func(c *webhook.Config) { c.SendHeaders = []string{"authorization"} },
			func(person string) *authhandlers.Request { return authtest.Bearer("s-" + person) },
		},
		"both, and no memory": {
			func(c *webhook.Config) { c.SendCookies, c.Cache = []string{"PHPSESSID"}, 0 },
			func(person string) *authhandlers.Request {
				return with(sessionHeader, "s-"+person, "Cookie", "PHPSESSID=s-"+person)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := authtest.NewClock()
			s := newService(t)
			var sessions sync.Map // the ends of sessions by their secret
			s.answers(func(w http.ResponseWriter, r *http.Request) {
				shown := r.Header.Get(sessionHeader)
				if c, err := r.Cookie("PHPSESSID"); err == nil {
					shown = c.Value
				}
				if a := r.Header.Get("Authorization"); a != "" {
					shown = strings.TrimPrefix(a, "Bearer ")
				}
				end, ok := sessions.Load(shown)
				if !ok {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				says(fmt.Sprintf(`{"user_id":%q,"expires":%d}`, strings.TrimPrefix(shown, "s-"), end))(w, r)
			})
			authtest.Run(t, authtest.Suite{
				Clock: clock,
				Open: func(t *testing.T, env authhandlers.Env) authhandlers.AuthHandler {
					c := s.config()
					row.change(c)
					return open(t, env, c)
				},
				Request: func(_ *testing.T, n int) *authhandlers.Request {
					sessions.Store(fmt.Sprintf("s-person-%d", n), clock.Now().Unix()+600)
					return row.request(fmt.Sprintf("person-%d", n))
				},
				Person: func(n int) (string, string) {
					return s.server.URL + "/whoami", fmt.Sprintf("person-%d", n)
				},
				Lifetime: 10 * time.Minute,
				Refused: map[string]func(*testing.T) *authhandlers.Request{
					"not known": func(*testing.T) *authhandlers.Request { return row.request("mallory") },
				},
				Foreign: map[string]func(*testing.T) *authhandlers.Request{
					"another header": func(*testing.T) *authhandlers.Request { return with("X-Legacy-Sessions", "s-person-1") },
					"another cookie": func(*testing.T) *authhandlers.Request { return with("Cookie", "phpsessid=s-person-1") },
				},
			})
		})
	}
}
