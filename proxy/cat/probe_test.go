package cat_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/proxy/cat"
)

func start(t *testing.T, o standin.Options) (*standin.Running, *url.URL) {
	t.Helper()
	c, err := standin.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	base, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	return c, base
}

func probe(base *url.URL, key string) *cat.Probe {
	return &cat.Probe{Base: base, HTTP: &http.Client{Timeout: 5 * time.Second}, Credentials: cat.NewKeys(key, "ws-key"), Now: time.Now}
}

func TestProbeFindsEachOpenDoor(t *testing.T) {
	closed := standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random"}
	for _, c := range []struct {
		name   string
		change func(*standin.Options)
		doors  []string
	}{
		{"closed", func(*standin.Options) {}, nil},
		{"no keys", func(o *standin.Options) { o.APIKey, o.APIKeyWS = "", "" }, []string{"HTTP without", "WebSocket without"}},
		{"no HTTP key", func(o *standin.Options) { o.APIKey = "" }, []string{"HTTP without"}},
		{"no WebSocket key", func(o *standin.Options) { o.APIKeyWS = "" }, []string{"WebSocket without"}},
		{"default secret", func(o *standin.Options) { o.JWTSecret = "secret" }, []string{"default secret"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := closed
			c.change(&o)
			_, base := start(t, o)
			err := probe(base, o.APIKey).Check(t.Context())
			var open *cat.OpenError
			if errors.As(err, &open) != (len(c.doors) > 0) {
				t.Fatalf("%v", err)
			}
			for _, door := range c.doors {
				if !strings.Contains(err.Error(), door) {
					t.Errorf("%q is not in %v", door, err)
				}
			}
		})
	}
}

func TestProbeTriesTheDefaultSecretOnAKnownAccount(t *testing.T) {
	running, base := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key"})
	id := running.AddAccount("chat", "a password", standin.Permissions{"STATUS": {"READ"}})
	status, err := cat.ParsePermissions("STATUS:READ")
	if err != nil {
		t.Fatal(err)
	}
	p := probe(base, "")
	p.Credentials, p.Accounts = nil, []cat.Account{{ID: id, Permissions: status}}
	var open *cat.OpenError
	if err := p.Check(t.Context()); !errors.As(err, &open) || !strings.Contains(open.Error(), "default secret") {
		t.Errorf("%v", err)
	}
}

func TestProbeSaysThatItsKeyIsWrong(t *testing.T) {
	_, base := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random"})
	err := probe(base, "another key").Check(t.Context())
	var open *cat.OpenError
	if err == nil || errors.As(err, &open) || !strings.Contains(err.Error(), "refuses Catflap's credential") || strings.Contains(err.Error(), "another key") {
		t.Errorf("%v", err)
	}
}

// TestProbeSaysThatItsWebSocketKeyIsWrong: all but the chat works, so it is served; but
// Catflap is not ready.
func TestProbeSaysThatItsWebSocketKeyIsWrong(t *testing.T) {
	running, base := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random"})
	p := probe(base, "http-key")
	p.Credentials = cat.NewKeys("http-key", "another key")
	g := cat.NewGuard(p, slog.New(slog.DiscardHandler))
	g.Look(t.Context())
	if err := g.Ready(); err == nil || !strings.Contains(err.Error(), "cat.api_key_ws") || strings.Contains(err.Error(), "another key") || g.Refuse() != nil {
		t.Errorf("ready: %v, refuse: %v", err, g.Refuse())
	}
	p.Credentials = cat.NewKeys("http-key", "ws-key")
	if !g.Look(t.Context()) || g.Ready() != nil {
		t.Errorf("with the right key: %v", g.Ready())
	}
	await(t, "no socket of the probe's stays open", func() bool { return running.Sockets(cat.AnonymousID) == 0 })
}

// TestADoubtIsLookedInto at once, and not with the next look in a minute.
func TestADoubtIsLookedInto(t *testing.T) {
	running, base := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random"})
	g := cat.NewGuard(probe(base, "http-key"), slog.New(slog.DiscardHandler))
	go g.Run(t.Context())
	await(t, "ready", func() bool { return g.Ready() == nil })
	_ = running.Close()
	g.Doubt()
	await(t, "not ready", func() bool { return g.Ready() != nil })
}

func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func TestGuardLetsNothingPassUntilTheCatIsClosed(t *testing.T) {
	running, base := start(t, standin.Options{JWTSecret: "long and random"})
	g := cat.NewGuard(probe(base, ""), slog.New(slog.DiscardHandler))
	if g.Refuse() == nil || g.Ready() == nil {
		t.Fatal("something passes before the first look")
	}
	if g.Look(t.Context()) || g.Refuse() == nil {
		t.Fatal("an open Cat is served")
	}
	_ = running.Close()
	if g.Look(t.Context()) || g.Refuse() == nil {
		t.Fatal("a Cat that was open and can't be reached is served")
	}
	_, base = start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random"})
	p := probe(base, "http-key")
	g = cat.NewGuard(p, slog.New(slog.DiscardHandler))
	if !g.Look(t.Context()) || g.Refuse() != nil || g.Ready() != nil {
		t.Fatalf("a closed Cat is not served: %v", g.Refuse())
	}
	p.Base = mustParse(t, "http://127.0.0.1:1")
	if g.Look(t.Context()) || g.Refuse() != nil || g.Ready() == nil {
		t.Error("a Cat that was closed and can't be reached: requests must meet the transport's error, readiness must fail")
	}
	_, open := start(t, standin.Options{})
	p.Base = open
	if g.Look(t.Context()) || g.Refuse() == nil {
		t.Error("a Cat that was opened meanwhile is served")
	}
}

func TestGuardRunEndsWithItsContext(t *testing.T) {
	_, base := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random"})
	ctx, cancel := context.WithCancel(t.Context())
	g := cat.NewGuard(probe(base, "http-key"), slog.New(slog.DiscardHandler))
	ended := make(chan struct{})
	go func() { g.Run(ctx); close(ended) }()
	for deadline := time.Now().Add(5 * time.Second); g.Ready() != nil && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	if err := g.Ready(); err != nil {
		t.Error(err)
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the guard goes on")
	}
}

func TestAccounts(t *testing.T) {
	_, base := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", JWTSecret: "long and random"})
	a := &cat.Accounts{Base: base, HTTP: &http.Client{Timeout: 5 * time.Second}, Credentials: cat.NewKeys("http-key", "")}
	set, err := cat.ParsePermissions("CONVERSATION:*")
	if err != nil {
		t.Fatal(err)
	}
	made, err := a.Create(t.Context(), "catflap-chat", set)
	if err != nil || made.ID == "" {
		t.Fatal(made, err)
	}
	users, err := a.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, u := range users {
		found = found || u.ID == made.ID && u.Username == "catflap-chat" && len(u.Permissions["CONVERSATION"]) == 5
	}
	if !found {
		t.Errorf("%v", users)
	}
	if _, err := a.Create(t.Context(), "catflap-chat", set); err == nil || !strings.Contains(err.Error(), "exist") {
		t.Errorf("a second one of that name: %v", err)
	}
	a.Credentials = cat.NewKeys("wrong", "")
	if _, err := a.Create(t.Context(), "x", set); err == nil || !strings.Contains(err.Error(), "refuses") {
		t.Errorf("with a wrong key: %v", err)
	}
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
