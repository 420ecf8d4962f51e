package examples

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// serveAsked checks and runs an example whose handler asks a service of ours.
func serveAsked(t *testing.T, name, address string, service http.HandlerFunc, env ...string) served {
	t.Helper()
	asked := httptest.NewServer(service)
	t.Cleanup(asked.Close)
	l := newLab(t)
	l.sets(t, "CCAT_JWT_SECRET", "CAT_READER_ACCOUNT_ID")
	l.env = append(l.env, env...)
	file := l.write(t, "catflap.yaml", l.localize(t, read(t, name), [2]string{`https://` + address, asked.URL}))
	l.check(t, file)
	return l.run(t, "run", "--config", file)
}

// TestIntrospection runs the example: an active token's person is themselves.
func TestIntrospection(t *testing.T) {
	s := serveAsked(t, "handlers/introspection.catflap.yaml", `idp\.example\.com`, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		id, secret, _ := r.BasicAuth()
		switch {
		case id != "catflap" || secret != "the-secret-of-catflap":
			w.WriteHeader(http.StatusUnauthorized)
		case r.PostFormValue("token") == "opaque-token-of-alice":
			fmt.Fprint(w, `{"active":true,"sub":"alice","aud":"catflap","token_type":"Bearer"}`)
		default:
			fmt.Fprint(w, `{"active":false}`)
		}
	}, "CATFLAP_CLIENT_SECRET=the-secret-of-catflap")
	for token, want := range map[string]string{"": "401 ", "something-else": "401 ", "opaque-token-of-alice": "200 opaque:alice"} {
		if status, user := s.get(t, token); fmt.Sprint(status, " ", user) != want {
			t.Errorf("%q: %d, at the Cat %q", token, status, user)
		}
	}
}

// TestWebhook runs the example: whom the service knows is themselves, by header and cookie.
func TestWebhook(t *testing.T) {
	s := serveAsked(t, "handlers/webhook.catflap.yaml", `accounts\.example\.com`, func(w http.ResponseWriter, r *http.Request) {
		session := r.Header.Get("X-Legacy-Session")
		if c, err := r.Cookie("PHPSESSID"); err == nil {
			session = c.Value
		}
		if r.Header.Get("Authorization") != "Bearer the-secret-of-the-service" || session != "session-of-alice" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"user_id":"alice","name":"Alice","groups":["editors"]}`)
	}, "CATFLAP_WEBHOOK_SECRET=the-secret-of-the-service")
	for _, row := range []struct{ header, value, want string }{
		{"X-Other", "session-of-alice", "401 "}, {"X-Legacy-Session", "another", "401 "},
		{"X-Legacy-Session", "session-of-alice", "200 legacy:alice"}, {"Cookie", "PHPSESSID=session-of-alice", "200 legacy:alice"},
	} {
		s.cat.ForgetRequests()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "localhost:8080"
		req.Header.Set(row.header, row.value)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := fmt.Sprint(resp.StatusCode, " ", userAt(s.cat)); got != row.want {
			t.Errorf("%s: %s, want %s", row.header, got, row.want)
		}
	}
}
