package keyset_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/internal/keyset"
)

// TestLeftOutKeysAreTold: what is wrong with an issuer's keys stands in the log, at a
// level that operators see, and in the reason of not being ready.
func TestLeftOutKeysAreTold(t *testing.T) {
	good, r := newKey(t, "good", "ES256"), newKey(t, "r", "RS256")
	weak := with(r, map[string]any{"n": strings.Repeat("v", 170) + "8"}) // about 1024 bits
	padded := with(r, map[string]any{"n": r.JWK()["n"].(string) + "=="})
	for name, c := range map[string]struct {
		jwks        []map[string]any
		ready       string // "": it is
		told, quiet string
	}{
		"weak alone":            {[]map[string]any{weak}, "an RSA key of 1024 bits", "an RSA key of 1024 bits", ""},
		"padded alone":          {[]map[string]any{padded}, "n is no base64url", "n is no base64url", ""},
		"padded beside another": {[]map[string]any{good.JWK(), padded}, "", "n is no base64url", ""},
		"alg of another kind":   {[]map[string]any{good.JWK(), with(r, map[string]any{"alg": "ES256"})}, "", "alg does not suit the key", ""},
		"not for us":            {[]map[string]any{good.JWK(), with(r, map[string]any{"use": "enc"})}, "", "", "use is not sig"},
		"none for us":           {[]map[string]any{with(r, map[string]any{"use": "enc"})}, "use is not sig", "use is not sig", ""},
		"none":                  {nil, "the key set is empty", "no key that can be used", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "k.json")
			if err := os.WriteFile(path, document(t, c.jwks...), 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			s, err := keyset.OpenFile(path, keyset.Options{
				Algorithms: asymmetric(), Now: authtest.NewClock().Now, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
			})
			if err != nil {
				t.Fatal(err)
			}
			reason := s.Ready()
			if (reason == nil) != (c.ready == "") || reason != nil && !strings.Contains(reason.Error(), c.ready) {
				t.Errorf("ready: %v, want %q", reason, c.ready)
			}
			if !strings.Contains(log.String(), c.told) || c.quiet != "" && strings.Contains(log.String(), c.quiet) {
				t.Errorf("the log: %s", log.String())
			}
		})
	}
}

// TestLeftOutKeysAreToldOnce: not with each fetch of the same document.
func TestLeftOutKeysAreToldOnce(t *testing.T) {
	clock := authtest.NewClock()
	idp := authtest.NewIssuer(t, clock)
	odd := newKey(t, "odd", "RS256")
	idp.PublishJWK(with(odd, map[string]any{"n": odd.JWK()["n"].(string) + "=="}))
	var log bytes.Buffer
	fetched := make(chan struct{}, 8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, err := keyset.OpenURL(ctx, idp.JWKSURL(), keyset.Options{
		Algorithms: asymmetric(), Now: clock.Now, HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		Log: slog.New(slog.NewTextHandler(&log, nil)),
		Observe: func(event string) {
			if event == "keys_fetched" {
				fetched <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		select {
		case <-fetched:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing was fetched")
		}
		if _, err := s.Find(t.Context(), "x", "ES256"); err == nil { // waits for the end of the round
			t.Error("a key")
		}
		clock.Advance(11 * time.Minute)
		s.Poll(clock.Now())
	}
	<-fetched
	_, _ = s.Find(t.Context(), "x", "ES256")
	if n := strings.Count(log.String(), "are left out"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log.String())
	}
}
