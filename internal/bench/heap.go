package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/config/value"
)

// heap notes the live heap of a remembered token. It is the same in each round,
// so one is enough.
func (b *bench) heap(ctx context.Context, _ *contender) error {
	if b.done > 0 {
		return nil
	}
	kib, err := heapOfAToken(ctx, b.lab)
	if err == nil {
		b.figures.note("7b", catflap, figHeap, kib)
	}
	return err
}

// heapOfAToken has the handler verify each token and returns by how many KiB the
// live heap has grown for each.
func heapOfAToken(ctx context.Context, l *lab) (float64, error) {
	c := jwt.NewConfig()
	c.Issuer, c.Audiences, c.Groups, c.Keys.JWKSFile = benchIssuer, []string{"cat"}, "realm_access.roles", value.Path(l.file("keys.json"))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	list := l.tokens.people
	h, err := authhandlers.Open(ctx, c, authhandlers.Env{
		Name: "staff", Log: slog.New(slog.DiscardHandler), HTTP: &http.Client{Timeout: time.Second}, Now: time.Now,
		Gate: authhandlers.NewGate(0, 10, time.Second), CachedTokens: 2 * len(list),
	})
	if err != nil {
		return 0, err
	}
	verify := func(token string) error {
		_, err := h.Authenticate(ctx, &authhandlers.Request{Credential: &authhandlers.Credential{Scheme: "bearer", Value: token}})
		return err
	}
	if len(list) < 2 {
		return 0, errors.New("no tokens to remember")
	}
	if err := verify(list[0]); err != nil { // what is made at the first is not a token's
		return 0, err
	}
	before := liveHeap()
	for _, token := range list[1:] {
		if err := verify(token); err != nil {
			return 0, err
		}
	}
	after := liveHeap()
	runtime.KeepAlive(h)
	return float64(after-before) / float64(len(list)-1) / 1024, nil
}

func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
