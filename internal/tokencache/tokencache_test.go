package tokencache_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/catflap/catflap/internal/tokencache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type entry struct {
	name  string
	until time.Time
	gone  atomic.Bool
}

func (e *entry) Until() time.Time { return e.until }
func (e *entry) Current() bool    { return !e.gone.Load() }

var (
	errRefused = errors.New("refused")
	errFault   = errors.New("fault")
)

type fixture struct {
	*tokencache.Cache[*entry]
	now        time.Time
	generation atomic.Uint64
}

func newCache(t testing.TB, accepted, refused int) *fixture {
	t.Helper()
	f := &fixture{now: time.Unix(1_700_000_000, 0)}
	var err error
	f.Cache, err = tokencache.New[*entry](tokencache.Options{
		Accepted: accepted, Refused: refused, Generation: f.generation.Load,
		RefusedFor: func(err error) time.Duration {
			if errors.Is(err, errRefused) {
				return 10 * time.Second
			}
			return 0
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) do(token string, e *entry, err error) (*entry, error) {
	return f.Do(context.Background(), f.Key(token), f.now, func(context.Context) (*entry, error) { return e, err })
}

func (f *fixture) get(token string) (*entry, error) { return f.Get(f.Key(token), f.now) }

func TestAccepted(t *testing.T) {
	f := newCache(t, 10, 10)
	e := &entry{name: "alice", until: f.now.Add(time.Minute)}
	if _, err := f.get("a"); err != tokencache.ErrMiss { //nolint:errorlint // it is bare
		t.Fatal(err)
	}
	if got, err := f.do("a", e, nil); err != nil || got != e {
		t.Fatal(got, err)
	}
	if got, err := f.get("a"); err != nil || got != e {
		t.Error("not remembered:", err)
	}
	if _, err := f.get("b"); err != tokencache.ErrMiss { //nolint:errorlint // it is bare
		t.Error("another token is found")
	}
	f.now = f.now.Add(time.Minute)
	if _, err := f.get("a"); err != tokencache.ErrMiss { //nolint:errorlint // it is bare
		t.Error("remembered at its end")
	}
	if n, _ := f.Len(); n != 0 {
		t.Errorf("%d entries after the end", n)
	}

	e = &entry{until: f.now.Add(time.Minute)}
	if _, err := f.do("c", e, nil); err != nil {
		t.Fatal(err)
	}
	e.gone.Store(true)
	if _, err := f.get("c"); err != tokencache.ErrMiss { //nolint:errorlint // it is bare
		t.Error("remembered although its key is gone")
	}
	for name, dead := range map[string]*entry{"over": {until: f.now}, "gone": e} {
		if _, err := f.do("d", dead, nil); err != nil {
			t.Fatal(err)
		}
		if n, _ := f.Len(); n != 0 {
			t.Errorf("%s: remembered from the start", name)
		}
	}
}

func TestRefused(t *testing.T) {
	f := newCache(t, 10, 10)
	for token, err := range map[string]error{"bad": errRefused, "fault": errFault} {
		if _, got := f.do(token, nil, err); !errors.Is(got, err) {
			t.Fatal(got)
		}
	}
	if _, err := f.get("bad"); !errors.Is(err, errRefused) {
		t.Error("a refusal is not remembered")
	}
	if _, err := f.get("fault"); err != tokencache.ErrMiss { //nolint:errorlint // it is bare
		t.Error("a fault is remembered")
	}
	f.now = f.now.Add(10 * time.Second)
	if _, err := f.get("bad"); err != tokencache.ErrMiss { //nolint:errorlint // it is bare
		t.Error("a refusal is remembered beyond its time")
	}
	if _, err := f.do("bad", nil, errRefused); !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	f.generation.Add(1)
	if _, err := f.get("bad"); err != tokencache.ErrMiss { //nolint:errorlint // it is bare
		t.Error("a refusal is remembered although the keys have changed")
	}
}

func TestBounds(t *testing.T) {
	f := newCache(t, 100, 10)
	for n := range 1000 {
		if _, err := f.do(fmt.Sprint("good", n), &entry{until: f.now.Add(time.Hour)}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := f.do(fmt.Sprint("bad", n), nil, errRefused); err == nil {
			t.Fatal("accepted")
		}
	}
	if accepted, refused := f.Len(); accepted != 100 || refused != 10 {
		t.Errorf("%d and %d are remembered, want 100 and 10", accepted, refused)
	}
	f = newCache(t, 0, 0)
	if _, err := f.do("a", &entry{until: f.now.Add(time.Hour)}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.get("a"); err != tokencache.ErrMiss { //nolint:errorlint // it is bare
		t.Error("a cache of no size remembers")
	}
}

func TestKeys(t *testing.T) {
	a, b := newCache(t, 1, 1), newCache(t, 1, 1)
	if again := a.Key("token"); a.Key("token") != again {
		t.Error("one token, two keys")
	}
	if a.Key("token") == b.Key("token") {
		t.Error("two caches have one secret")
	}
	if a.Key("") == a.Key("\x00") || a.Key("a") == a.Key("b") {
		t.Error("two tokens, one key")
	}
}

func TestOneFlight(t *testing.T) {
	f := newCache(t, 10, 10)
	e := &entry{until: f.now.Add(time.Minute)}
	var verified atomic.Int64
	release := make(chan struct{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			got, err := f.Do(t.Context(), f.Key("a"), f.now, func(context.Context) (*entry, error) {
				verified.Add(1)
				<-release
				return e, nil
			})
			if err != nil || got != e {
				t.Error(got, err)
			}
		})
	}
	for verified.Load() == 0 {
		runtime.Gosched()
	}
	close(release)
	wg.Wait()
	if n := verified.Load(); n != 1 {
		t.Errorf("verified %d times", n)
	}
}

// TestLeaderLeaves holds that nobody fails for somebody else's leaving.
func TestLeaderLeaves(t *testing.T) {
	for _, size := range []int{10, 0} { // also where nothing is remembered
		synctest.Test(t, func(t *testing.T) {
			f := newCache(t, size, size)
			e := &entry{until: f.now.Add(time.Minute)}
			ctx, leave := context.WithCancel(t.Context())
			led := make(chan error, 1)
			go func() {
				_, err := f.Do(ctx, f.Key("a"), f.now, func(ctx context.Context) (*entry, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				})
				led <- err
			}()
			synctest.Wait() // the leader leads
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					got, err := f.Do(t.Context(), f.Key("a"), f.now, func(context.Context) (*entry, error) { return e, nil })
					if err != nil || got != e {
						t.Error(got, err)
					}
				})
			}
			synctest.Wait() // the others wait for it
			leave()
			if err := <-led; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			wg.Wait()
		})
	}
}

func TestFollowerLeaves(t *testing.T) {
	f := newCache(t, 10, 10)
	leads, release := make(chan struct{}), make(chan struct{})
	led := make(chan error, 1)
	go func() {
		_, err := f.Do(t.Context(), f.Key("a"), f.now, func(context.Context) (*entry, error) {
			close(leads)
			<-release
			return &entry{until: f.now.Add(time.Minute)}, nil
		})
		led <- err
	}()
	<-leads
	ctx, leave := context.WithCancel(t.Context())
	leave()
	_, err := f.Do(ctx, f.Key("a"), f.now, func(context.Context) (*entry, error) {
		t.Error("two verifications at one time")
		return nil, errFault
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	if err := <-led; err != nil {
		t.Error(err)
	}
}

func TestPanicFreesTheToken(t *testing.T) {
	f := newCache(t, 10, 10)
	func() {
		defer func() { _ = recover() }()
		_, _ = f.Do(t.Context(), f.Key("a"), f.now, func(context.Context) (*entry, error) { panic("x") })
	}()
	if _, err := f.do("a", &entry{until: f.now.Add(time.Minute)}, nil); err != nil {
		t.Error(err)
	}
}

// TestNeverMixes has many verify many at one time: each gets its own.
func TestNeverMixes(t *testing.T) {
	f := newCache(t, 8, 8) // small, so that entries come and go
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for n := range 2000 {
				name := fmt.Sprint("person", (n+worker)%32)
				got, err := f.get(name)
				if err != nil {
					got, err = f.do(name, &entry{name: name, until: f.now.Add(time.Minute)}, nil)
				}
				if err != nil || got.name != name {
					t.Errorf("%s is %v, %v", name, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkHit(b *testing.B) {
	f := newCache(b, 10_000, 10)
	token := make([]byte, 731)
	for i := range token {
		token[i] = 'a' + byte(i%26)
	}
	text := string(token)
	if _, err := f.do(text, &entry{until: f.now.Add(time.Hour)}, nil); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.get(text); err != nil {
			b.Fatal(err)
		}
	}
}
