package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

// heapOfAToken is the live heap of one remembered token in KiB, or 0 when it could
// not be measured.
func heapOfAToken(t *tokens) float64 {
	const n = 2000
	dir, err := os.MkdirTemp("", "catflap-bench-heap-")
	if err != nil {
		return 0
	}
	defer os.RemoveAll(dir)
	keys := filepath.Join(dir, "keys.json")
	if t.writeKeys(keys, filepath.Join(dir, "key.pem")) != nil {
		return 0
	}
	c := jwt.NewConfig()
	c.Issuer, c.Audiences, c.Groups, c.Keys.JWKSFile = benchIssuer, []string{"cat"}, "realm_access.roles", value.Path(keys)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h, err := authhandlers.Open(ctx, c, authhandlers.Env{
		Name: "staff", Log: slog.New(slog.DiscardHandler), HTTP: http.DefaultClient, Now: time.Now, Gate: authhandlers.NewGate(0, 10, time.Second),
		CachedTokens: 2 * n,
	})
	if err != nil {
		return 0
	}
	list := t.good(n + 1)
	ask := func(token string) bool {
		_, err := h.Authenticate(ctx, &authhandlers.Request{Credential: &authhandlers.Credential{Scheme: "bearer", Value: token}})
		return err == nil
	}
	ask(list[n])
	before := live()
	for i := range n {
		if !ask(list[i]) {
			return 0
		}
	}
	after := live()
	runtime.KeepAlive(list)
	runtime.KeepAlive(h)
	return float64(after-before) / n / 1024
}

func live() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
