package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// traffic sends messages with one token until it is stopped, and counts what was
// not answered 200.
type traffic struct {
	bad, all atomic.Int64
	slowest  atomic.Int64
	end      chan struct{}
	wg       sync.WaitGroup
}

func drive(t testing.TB, f *flap, token string) *traffic {
	tr := &traffic{end: make(chan struct{})}
	tr.wg.Go(func() {
		for {
			select {
			case <-tr.end:
				return
			default:
			}
			began := time.Now()
			l := dialQuietly(t, f.addr)
			l.send(message(f.addr, token))
			a, err := l.receive("POST")
			l.close()
			tr.all.Add(1)
			if err != nil || a.status != 200 {
				tr.bad.Add(1)
			}
			tr.slowest.Store(max(tr.slowest.Load(), int64(time.Since(began))))
		}
	})
	t.Cleanup(tr.stop)
	return tr
}

func (tr *traffic) stop() {
	select {
	case <-tr.end:
	default:
		close(tr.end)
	}
	tr.wg.Wait()
}

// accepted polls until the token is answered so; a change of keys may take
// Catflap a while, but never more than its cool-down.
func accepted(t testing.TB, f *flap, token string, want int) {
	t.Helper()
	deadline := time.Now().Add(100 * time.Second)
	for {
		got := asked(t, f, token)
		if got == want {
			return
		}
		if got != 200 && got != 401 && got != 503 {
			t.Fatalf("status %d", got)
		}
		if time.Now().After(deadline) {
			t.Fatalf("still answered %d, want %d\n%s", got, want, f.log)
		}
		time.Sleep(100 * time.Millisecond) // a poll of another process, bounded above
	}
}

// TestKeyRotation: new keys are found while requests run, and none of those fails.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	f := start(t, idp.config(cat.tap.addr))
	before := idp.signIn("catflap", "alice").Access
	running := drive(t, f, before)
	accepted(t, f, before, 200)
	idp.control("rotate")
	accepted(t, f, idp.signIn("catflap", "bob").Access, 200)
	running.stop()
	if running.bad.Load() > 0 || running.all.Load() == 0 {
		t.Errorf("%d of %d requests failed while keys rotated", running.bad.Load(), running.all.Load())
	}
}

// TestWithdrawnKeys: a key that the provider has withdrawn ends with the next
// fetch, also for tokens that were verified before.
func TestWithdrawnKeys(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	f := start(t, idp.config(cat.tap.addr))
	before := idp.signIn("catflap", "alice").Access
	accepted(t, f, before, 200)
	idp.control("rotate?drop=1")
	accepted(t, f, idp.signIn("catflap", "bob").Access, 200)
	if got := asked(t, f, before); got != 401 {
		t.Errorf("a token of a withdrawn key is answered %d", got)
	}
}

// TestProviderOutage: known keys go on, new ones are refused and never waved
// through, and all is well again by itself.
func TestProviderOutage(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	f := start(t, idp.config(cat.tap.addr))
	before := idp.signIn("catflap", "alice").Access
	accepted(t, f, before, 200)
	idp.control("rotate")
	after := idp.signIn("catflap", "bob").Access
	idp.control("outage?paths=/jwks&ms=600000&status=503")
	running := drive(t, f, before)
	for range 20 {
		cat.tap.take()
		if got := asked(t, f, after); got != 401 && got != 503 {
			t.Fatalf("a token of an unknown key is answered %d during an outage", got)
		}
	}
	running.stop()
	if running.bad.Load() > 0 {
		t.Errorf("%d of %d requests with a known key failed during the outage", running.bad.Load(), running.all.Load())
	}
	idp.control("reset")
	accepted(t, f, after, 200)
}

// TestSlowProvider: who waits for keys waits alone.
func TestSlowProvider(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	f := start(t, idp.config(cat.tap.addr))
	known := idp.signIn("catflap", "alice").Access
	accepted(t, f, known, 200)
	idp.control("rotate")
	unknown := idp.signIn("catflap", "bob").Access
	idp.control("slow?paths=/jwks&ms=4000")
	waiting := make(chan int, 20)
	for range cap(waiting) {
		go func() {
			status := 0
			defer func() { waiting <- status }() // also where asking ends the goroutine
			status = asked(t, f, unknown)
		}()
	}
	running := drive(t, f, known)
	for range cap(waiting) {
		if got := <-waiting; got != 200 && got != 401 && got != 503 {
			t.Errorf("status %d", got)
		}
	}
	running.stop()
	if slowest := time.Duration(running.slowest.Load()); slowest > 3*time.Second || running.bad.Load() > 0 {
		t.Errorf("beside a slow provider the slowest of %d requests with a known key took %s, %d failed",
			running.all.Load(), slowest, running.bad.Load())
	}
}

// TestUnknownKeyFlood: nobody outside can make Catflap fetch keys at will.
func TestUnknownKeyFlood(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	f := start(t, idp.config(cat.tap.addr))
	accepted(t, f, idp.signIn("catflap", "alice").Access, 200)
	before := idp.fetches()
	l := dial(t, f.addr)
	for i := range 1000 {
		l.send(request("GET /", f.addr, forged(idp.issuer(), fmt.Sprintf("rs256-%d-%s", i, rand.Text())), ""))
		if a, err := l.receive("GET"); err != nil || a.status != 401 && a.status != 503 {
			t.Fatalf("forged token %d is answered %d, %v", i, a.status, err)
		}
	}
	if n := idp.fetches() - before; n > 2 {
		t.Errorf("1,000 tokens of unknown keys made %d fetches", n)
	}
	none(t, withoutFirst(cat.tap.take()))
}

// withoutFirst leaves out the good request that began the test.
func withoutFirst(l []arrival) []arrival { return l[min(1, len(l)):] }

// forged is a token of the right form and claims with a signature of nobody's.
func forged(issuer, kid string) string {
	encode := base64.RawURLEncoding.EncodeToString
	now := time.Now()
	signature := make([]byte, 256)
	_, _ = rand.Read(signature) // never fails
	return strings.Join([]string{
		encode([]byte(fmt.Sprintf(`{"alg":"RS256","typ":"at+jwt","kid":%q}`, kid))),
		encode([]byte(fmt.Sprintf(`{"iss":%q,"aud":"catflap","sub":"x","iat":%d,"exp":%d}`, issuer, now.Unix(), now.Add(time.Minute).Unix()))),
		encode(signature),
	}, ".")
}

// TestProviderDownAtStart: without keys nobody comes in, and nothing need be
// restarted when the provider comes up.
func TestProviderDownAtStart(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	parts.Need(t, installed.HaveNode())
	addr := freeAddress(t)
	f := launch(t, config{cat: cat.tap.addr, issuer: "http://" + addr, jwksURL: "http://" + addr + "/jwks"})
	cat.tap.take()
	if got := asked(t, f, forged("http://"+addr, "rs256-1")); got != 401 && got != 503 {
		t.Errorf("without keys a token is answered %d", got)
	}
	none(t, cat.tap.take())
	idp := startProviderAt(t, addr)
	accepted(t, f, idp.signIn("catflap", "alice").Access, 200)
}
