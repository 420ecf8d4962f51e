package examples

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/internal/demo/standin"
)

// TestEveryIdentity runs the example of many kinds of handlers: each kind of credential is
// its own person, whatever the request claims, and whoever presents none is nobody.
func TestEveryIdentity(t *testing.T) {
	l := newLab(t)
	l.sets(t, "CCAT_API_KEY", "CCAT_API_KEY_WS", "CCAT_JWT_SECRET")
	l.env = append(l.env, "OPAQUE_CLIENT_SECRET=of the client")
	l.cat.AddAccount("rosa", "a long password", standin.Permissions{"STATUS": {"READ"}, "CONVERSATION": {"WRITE"}})
	edge, err := issuer.New(issuer.Options{Audience: "a-long-audience-tag"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = edge.Close() })
	asked := answers(t)
	l.write(t, "edge.jwks.json", string(edge.JWKS()))
	file := l.write(t, "catflap.yaml", localize(t, read(t, "catflap.identities.example.yaml"),
		[2]string{`^listen: \S+`, "listen: " + l.listen}, [2]string{`^admin_listen: \S+`, "admin_listen: " + l.admin},
		[2]string{`^public_url: \S+`, "public_url: http://" + strings.Replace(l.listen, "127.0.0.1", "localhost", 1)},
		[2]string{`http://127.0.0.1:1865`, l.cat.URL}, [2]string{`http://127.0.0.1:8082/token/introspection`, asked + "/introspection"},
		[2]string{`http://127.0.0.1:9200`, asked}, [2]string{`https://team.cloudflareaccess.com`, edge.URL()}))
	key, err := l.command("key", "new", "--file", "keys.yaml", "--owner", "nightly").Output()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := l.command("check", file).CombinedOutput(); err != nil {
		t.Fatalf("check: %v\n%s", err, out)
	}
	s := l.run(t, "run", "--config", file)
	for _, c := range []struct {
		name, header, value, user string
		status                    int
	}{
		{"nobody", "", "", "", 401},
		{"an API key", "Authorization", "Bearer " + strings.TrimSpace(string(key)), "bots:nightly", 200},
		{"a token of the Cat's", "Authorization", "Bearer " + catToken(t, s.url), "rosa", 200},
		{"a token of the proxy in front", "Cf-Access-Jwt-Assertion", edge.Token("alice", issuer.Header("typ", "JWT")), "edge:alice", 200},
		{"an opaque token", "Authorization", "Bearer opaque-token", "opaque:olga", 200},
		{"an opaque token that is not active", "Authorization", "Bearer another-token", "", 401},
		{"a session of another system", "X-Legacy-Session", "good", "legacy:lena", 200},
		{"one that is refused", "X-Legacy-Session", "bad", "", 401},
	} {
		if status, user := s.getWith(t, c.header, c.value); status != c.status || user != c.user {
			t.Errorf("%s: %d, at the Cat %q, want %d and %q", c.name, status, user, c.status, c.user)
		}
	}
}

// answers is the introspection endpoint of one provider, and the service that knows the
// sessions of another system.
func answers(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /introspection", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("token") == "opaque-token" {
			_, _ = w.Write([]byte(`{"active": true, "sub": "olga", "client_id": "catflap-opaque", "aud": "catflap-opaque"}`))
			return
		}
		_, _ = w.Write([]byte(`{"active": false}`))
	})
	mux.HandleFunc("/whoami", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("X-Legacy-Session") != "good" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"user_id": "lena"}`))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// catToken signs one of the Cat's own users in, as the Cat's clients do.
func catToken(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Post(url+"/auth/token", "application/json", strings.NewReader(`{"username": "rosa", "password": "a long password"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("%d %v", resp.StatusCode, err)
	}
	return answer.Token
}
