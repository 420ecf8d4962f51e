package cat

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// fresh is a Cat that is closed, and lets in who is named.
type fresh struct {
	mu    sync.Mutex
	open  string
	tried []string
}

func (f *fresh) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/auth/token" && r.Method == http.MethodPost {
		f.tried = append(f.tried, string(body))
		if strings.Contains(f.open, `"username":"`) && strings.Contains(string(body), f.open) {
			_, _ = io.WriteString(w, `{"access_token":"planted-token"}`)
			return
		}
	}
	w.WriteHeader(http.StatusForbidden)
}

func (f *fresh) logins() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.tried...)
}

// TestDefaultAccounts: each is tried once, and an open one is told with what to do. The
// Cat is served all the same.
func TestDefaultAccounts(t *testing.T) {
	for _, c := range []struct{ name, open, note string }{
		{"admin", `"username":"admin"`, "lets the account admin in with the default password"},
		{"user", `"username":"user"`, "lets the account user in with the default password"},
		{"none", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fresh{open: c.open}
			s := httptest.NewServer(f)
			defer s.Close()
			base, err := url.Parse(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			g := NewGuard(&Probe{Base: base, HTTP: s.Client(), Now: time.Now}, slog.New(slog.NewTextHandler(&log, nil)))
			g.loginPause = time.Millisecond
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { g.Run(ctx); close(ended) }()
			for deadline := time.Now().Add(20 * time.Second); len(f.logins()) < 2 || c.note != "" && len(g.Notes()) == 0; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("tried %q, notes %q", f.logins(), g.Notes())
				}
			}
			if g.Refuse() != nil || g.Ready() != nil {
				t.Errorf("not served: %v, %v", g.Refuse(), g.Ready())
			}
			cancel()
			<-ended
			if n := len(f.logins()); n != 2 {
				t.Errorf("%d logins", n)
			}
			if got := strings.Join(g.Notes(), "\n"); (got == "") != (c.note == "") || !strings.Contains(got, c.note) || !strings.Contains(log.String(), c.note) {
				t.Errorf("notes %q, log %s", got, log.String())
			}
			if strings.Contains(log.String(), "planted-token") {
				t.Error("the token is logged")
			}
		})
	}
}
