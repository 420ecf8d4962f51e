package inquiry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/inquiry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newEnv() authhandlers.Env {
	return authhandlers.Env{Name: "test", Log: slog.New(slog.DiscardHandler), HTTP: http.DefaultClient, Now: time.Now, CachedTokens: 100}
}

func request(credential string, lasting bool) *authhandlers.Request {
	return &authhandlers.Request{
		Credential: &authhandlers.Credential{Scheme: "bearer", Value: credential}, ClientIP: netip.MustParseAddr("192.0.2.1"), Lasting: lasting,
	}
}

// TestAnswersEndWithTheCredential: no answer is used beyond it, or for longer than the
// service lets it be.
func TestAnswersEndWithTheCredential(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer inquiry.Answer
		least  time.Duration // for which nobody is asked
		most   time.Duration
	}{
		{"as long as is set", inquiry.Answer{}, 15 * time.Second, 15 * time.Second},
		{"until the end", inquiry.Answer{Person: authhandlers.AuthUserInfo{Expiry: time.Now().Add(4 * time.Second)}}, 4 * time.Second, 4 * time.Second},
		{"as long as is said", inquiry.Answer{Fresh: 3 * time.Second, Limited: true}, 3 * time.Second, 3 * time.Second},
		{"for no time", inquiry.Answer{Limited: true}, 0, 0},
		{"for less", inquiry.Answer{Fresh: -time.Hour, Limited: true}, 0, 0},
		{"longer is not", inquiry.Answer{Fresh: time.Hour, Limited: true}, 15 * time.Second, 15 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, nil)
				a := row.answer
				a.Person.Subject = "alice"
				if !a.Person.Expiry.IsZero() {
					a.Person.Expiry = time.Now().Add(4 * time.Second) // of the bubble
				}
				d.says(func(string) (*inquiry.Answer, error) { return &a, nil })
				for _, at := range []struct {
					after time.Duration
					asked int64
				}{{0, 1}, {row.least - 1, 1}, {1, 2}} {
					time.Sleep(max(at.after, 0))
					if row.least == 0 && at.asked == 1 && d.asked.Load() == 1 {
						continue
					}
					if _, err := d.Authenticate(t.Context(), request("a credential", false), "a credential"); err != nil {
						t.Fatal(err)
					}
					if n := d.asked.Load(); n != at.asked {
						t.Errorf("after %s: asked %d times, want %d", at.after, n, at.asked)
					}
				}
			})
		})
	}
}

// TestPanics of what asks are faults, and tell nothing.
func TestPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		d.says(func(c string) (*inquiry.Answer, error) { panic(c) })
		_, err := d.chain.Authenticate(t.Context(), request("a credential", false))
		if err == nil || errors.As(err, new(*authhandlers.Rejection)) || strings.Contains(err.Error(), "a credential") {
			t.Error(err)
		}
		d.says(accepts("alice"))
		if _, err := d.chain.Authenticate(t.Context(), request("a credential", false)); err != nil {
			t.Error(err)
		}
	})
}

// TestReadiness: a question that failed has somebody look, and a look that fails is
// repeated until it does not.
func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		var looks atomic.Int64
		errBroken := errors.New("broken")
		d := newDesk(t, func(d *desk) {
			d.o.Try = func(context.Context) error {
				looks.Add(1)
				if broken.Load() {
					return errBroken
				}
				return nil
			}
		})
		if err := d.Ready(); err == nil {
			t.Error("ready before anybody has looked")
		}
		synctest.Wait()
		if err := d.Ready(); err != nil {
			t.Error(err)
		}
		d.says(fails)
		broken.Store(true)
		_, _ = d.chain.Authenticate(t.Context(), request("a credential", false))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !errors.Is(d.Ready(), errBroken) {
			t.Errorf("ready: %v", d.Ready())
		}
		looks.Store(0)
		time.Sleep(10 * time.Minute)
		if n := looks.Load(); n < 15 || n > 30 {
			t.Errorf("%d looks in 10 minutes", n)
		}
		broken.Store(false)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if err := d.Ready(); err != nil {
			t.Error(err)
		}
		looks.Store(0)
		for range 1000 {
			_, _ = d.chain.Authenticate(t.Context(), request("a credential", false))
		}
		time.Sleep(10 * time.Second)
		if n := looks.Load(); n > 3 {
			t.Errorf("%d looks for 1000 failures", n)
		}
	})
}

// TestShares: each network, and each person who sends new tokens over a socket, has their
// own.
func TestShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		d.says(refuses)
		person := func(subject string) func(string) *authhandlers.Request {
			return func(token string) *authhandlers.Request {
				r := request(token, true)
				r.ClientIP, r.Current = netip.Addr{}, &authhandlers.AuthUserInfo{Issuer: "i", Subject: subject, ID: subject}
				return r
			}
		}
		address := func(text string) func(string) *authhandlers.Request {
			return func(token string) *authhandlers.Request {
				r := request(token, false)
				r.ClientIP = netip.MustParseAddr(text)
				return r
			}
		}
		for name, ask := range map[string]func(string) *authhandlers.Request{
			"alice": person("alice"), "bob": person("bob"), "one": address("192.0.2.1"), "mapped": address("::ffff:192.0.2.2"), "net": address("2001:db8::1"), "zone": address("fe80::1%eth0"),
			"no address": func(token string) *authhandlers.Request {
				r := request(token, false)
				r.ClientIP = netip.Addr{}
				return r
			},
		} {
			d.asked.Store(0)
			for n := range 200 {
				_, _ = d.chain.Authenticate(t.Context(), ask(fmt.Sprint(name, n)))
			}
			if n := d.asked.Load(); n != 64 {
				t.Errorf("%s caused %d questions", name, n)
			}
		}
		for _, same := range []string{"::ffff:192.0.2.1", "2001:db8::2", "fe80::2"} {
			d.asked.Store(0)
			_, _ = d.chain.Authenticate(t.Context(), address(same)("new"))
			if n := d.asked.Load(); n != 0 {
				t.Errorf("%s has a share of its own", same)
			}
		}
	})
}

// TestNobodyWaitsForThoseWhoLeft: while the service hangs, a client that asks and leaves
// again and again leaves nothing behind but its one question.
func TestNobodyWaitsForThoseWhoLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		d.says(func(string) (*inquiry.Answer, error) {
			time.Sleep(3 * time.Second)
			return &inquiry.Answer{Person: authhandlers.AuthUserInfo{Subject: "alice"}}, nil
		})
		synctest.Wait()
		before := runtime.NumGoroutine()
		for range 500 {
			ctx, leave := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, leave)
			if _, err := d.Authenticate(ctx, request("a credential", false), "a credential"); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 5 {
			t.Errorf("%d goroutines wait for clients who left", n)
		}
		if _, err := d.Authenticate(t.Context(), request("a credential", false), "a credential"); err != nil || d.asked.Load() != 1 {
			t.Errorf("asked %d times: %v", d.asked.Load(), err)
		}
	})
}
