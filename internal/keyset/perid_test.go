package keyset_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/issuer"
	"github.com/catflap/catflap/internal/keyset"
)

// singles publishes keys one by one.
type singles struct {
	clock *authtest.Clock
	set   *keyset.Set
	asked atomic.Int64
	// finished counts the fetches that are over.
	finished atomic.Int64

	mu     sync.Mutex
	answer map[string]http.HandlerFunc
}

func openSingles(t *testing.T) *singles {
	t.Helper()
	s := &singles{clock: authtest.NewClock(), answer: map[string]http.HandlerFunc{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.mu.Lock()
		answer := s.answer[strings.TrimPrefix(r.URL.Path, "/keys/")]
		s.mu.Unlock()
		if answer == nil {
			answer = http.NotFound
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	var err error
	s.set, err = keyset.OpenPEMs(ctx, server.URL+"/keys/{kid}", keyset.Options{
		Algorithms: asymmetric(), Now: s.clock.Now, HTTP: authtest.NewEnv(t, s.clock).HTTP,
		Observe: func(event string) {
			if event != "keys_changed" {
				s.finished.Add(1)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *singles) publish(kid string, answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer[kid] = answer
}

func (s *singles) find(t *testing.T, kid string) error {
	t.Helper()
	keys, err := s.set.Find(t.Context(), kid, "ES256")
	if err == nil && (len(keys) != 1 || keys[0].ID() != kid) {
		t.Fatalf("%s: %v", kid, keys)
	}
	return err
}

func TestSingleKeys(t *testing.T) {
	s := openSingles(t)
	if err := s.set.Ready(); err != nil {
		t.Errorf("no token has come yet, and: %v", err)
	}
	key := newKey(t, "a", "ES256")
	two := append(key.PEM(), newKey(t, "b", "RS256").PEM()...)
	for _, c := range []struct {
		kid    string
		answer http.HandlerFunc
		want   error
	}{
		{"good", issuer.Body("text/plain", key.PEM()), nil},
		{"missing", nil, keyset.ErrUnknownKey},
		{"forbidden", issuer.Status(http.StatusForbidden), keyset.ErrUnknownKey},
		{"broken", issuer.Status(http.StatusInternalServerError), keyset.ErrUnavailable},
		{"two", issuer.Body("text/plain", two), keyset.ErrUnavailable},
		{"page", issuer.Body("text/html", []byte("<html>")), keyset.ErrUnavailable},
		{"large", issuer.Body("text/plain", append(key.PEM(), make([]byte, 1<<20)...)), keyset.ErrUnavailable},
		{"elsewhere", issuer.RedirectTo("http://127.0.0.2:1/keys/good"), keyset.ErrUnavailable},
	} {
		s.publish(c.kid, c.answer)
		s.clock.Advance(2 * time.Minute)
		if err := s.find(t, c.kid); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.kid, err, c.want)
		}
	}
	asked := s.asked.Load()
	for _, kid := range []string{"", ".", "..", "a/b", "a.b", "../x", "a%2fb", "a?b", "a#b", "é", "a b", "-a", strings.Repeat("a", 65), "good\n"} {
		if err := s.find(t, kid); !errors.Is(err, keyset.ErrUnknownKey) {
			t.Errorf("%q: %v", kid, err)
		}
	}
	if s.asked.Load() != asked {
		t.Error("the issuer was asked for an id of a bad form")
	}
	if err := s.find(t, "good"); err != nil || s.asked.Load() != asked {
		t.Errorf("a known key is asked for again: %v", err)
	}
}

// TestAFloodOfKeyIDs: strangers cause few fetches, and take nothing from who has a key.
func TestAFloodOfKeyIDs(t *testing.T) {
	s := openSingles(t)
	s.publish("good", issuer.Body("text/plain", newKey(t, "a", "ES256").PEM()))
	if err := s.find(t, "good"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 1000 {
		wg.Go(func() {
			if err := s.find(t, fmt.Sprint("kid", n%500)); !errors.Is(err, keyset.ErrUnknownKey) {
				t.Errorf("%d: %v", n, err)
			}
			if err := s.find(t, "good"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.asked.Load(); n > 8 {
		t.Errorf("%d fetches in one cool-down", n)
	}
	s.clock.Advance(time.Minute)
	s.publish("late", issuer.Body("text/plain", newKey(t, "a", "ES256").PEM()))
	if err := s.find(t, "late"); err != nil {
		t.Errorf("in the next cool-down: %v", err)
	}
}

// TestSingleKeysAge: a withdrawn key is gone at its age; one that can't be asked for
// stays for a day.
func TestSingleKeysAge(t *testing.T) {
	s := openSingles(t)
	for _, kid := range []string{"gone", "kept", "stays"} {
		s.publish(kid, issuer.Body("text/plain", newKey(t, kid, "ES256").PEM()))
		if err := s.find(t, kid); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]*keyset.Key{}
	for _, kid := range []string{"gone", "kept", "stays"} {
		keys, err := s.set.Present(kid, "ES256")
		if err != nil {
			t.Fatal(err)
		}
		all[kid] = keys[0]
	}
	s.publish("gone", nil)
	s.publish("kept", issuer.Status(http.StatusServiceUnavailable))
	s.round(t, 10*time.Minute, 3, all["gone"])
	if all["gone"].Current() || !all["kept"].Current() || !all["stays"].Current() {
		t.Error("at their age: ", all["gone"].Current(), all["kept"].Current(), all["stays"].Current())
	}
	s.round(t, 24*time.Hour, 2, all["kept"])
	if all["kept"].Current() || !all["stays"].Current() {
		t.Error("after a day: ", all["kept"].Current(), all["stays"].Current())
	}
}

// round lets time pass and waits until n keys have been asked for again, and one is gone.
func (s *singles) round(t *testing.T, d time.Duration, n int64, gone *keyset.Key) {
	t.Helper()
	before := s.finished.Load()
	s.clock.Advance(d)
	s.set.Poll(s.clock.Now())
	for limit := time.Now().Add(20 * time.Second); s.finished.Load() < before+n || gone.Current(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d keys were asked for again", s.finished.Load()-before)
		}
	}
}

// FuzzParsePadded holds that a padded token has one spelling, and that no text is a
// token of both forms unless it needs no padding.
func FuzzParsePadded(f *testing.F) {
	k := newKey(f, "k", "ES256")
	good := issuer.SignPadded(k, map[string]any{"alg": "ES256", "kid": "k"}, map[string]any{"sub": "alice"})
	for _, s := range []string{good, strings.ReplaceAll(good, "=", ""), good + "=", good + "\n", "e30=.e30=.", "e30.e30=.AA==", "=.=.=", "...", strings.Repeat("=", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := keyset.ParsePadded(text)
		if err != nil {
			if !errors.Is(err, keyset.ErrMalformed) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if strings.Count(text, ".") != 2 || len(text) > keyset.MaxTokenBytes || strings.ContainsAny(text, "+/ \r\n\t") {
			t.Fatalf("%q is taken", text)
		}
		for part := range strings.SplitSeq(text, ".") {
			if len(part)%4 != 0 {
				t.Fatalf("%q is taken without its padding", text)
			}
		}
		if again, err := keyset.ParseToken(strings.ReplaceAll(text, "=", "")); err != nil || again.Payload != tok.Payload {
			t.Fatalf("%q says something else without its padding: %v", text, err)
		}
		if _, err := keyset.ParseToken(text); err == nil && strings.Contains(text, "=") {
			t.Fatalf("%q is of both forms", text)
		}
	})
}
