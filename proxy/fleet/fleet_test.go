package fleet

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/proxy/chat"
)

// ear keeps what a fleet tells.
type ear struct {
	mu   sync.Mutex
	got  []string
	gone []string
	lost []bool
}

func (e *ear) Received(_ string, m []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, string(m))
}

func (e *ear) Gone(p string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gone = append(e.gone, p)
}

func (e *ear) Lost(late bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost = append(e.lost, late)
}

func (e *ear) has(got, gone, lost int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.got) >= got && len(e.gone) >= gone && len(e.lost) >= lost
}

func (s *server) listening(t testing.TB) (*Fleet, *ear) {
	t.Helper()
	f, e := s.fleet(t, nil), &ear{}
	f.Listen(e)
	t.Cleanup(f.Close)
	return f, e
}

// claimed claims until the answer is not to wait.
func claimed(t testing.TB, f *Fleet, person string) chat.Claim {
	t.Helper()
	var c chat.Claim
	eventually(t, "there is an answer", func() bool {
		var err error
		c, err = f.Claim(t.Context(), person)
		return err == nil && c.Token != ""
	})
	return c
}

// TestOneOfManyHasAPerson: of all who claim at once, one has the person, and the
// others learn who.
func TestOneOfManyHasAPerson(t *testing.T) {
	s := startRedis(t)
	var fleets []*Fleet
	for range 4 {
		f, _ := s.listening(t)
		fleets = append(fleets, f)
	}
	claims := make([]chat.Claim, len(fleets))
	var wg sync.WaitGroup
	for i, f := range fleets {
		wg.Go(func() { claims[i] = claimed(t, f, "alice") })
	}
	wg.Wait()
	owners := 0
	for i, c := range claims {
		if c.Owner == "" {
			owners++
			if !fleets[i].Holds(c.Token) {
				t.Error("it does not hold what it claimed")
			}
		}
		if c.Token != claims[0].Token {
			t.Errorf("%+v and %+v", c, claims[0])
		}
	}
	if owners != 1 {
		t.Errorf("%d have her", owners)
	}
}

// TestAReleasedPersonRests before somebody else has them; an old claim releases
// nothing.
func TestAReleasedPersonRests(t *testing.T) {
	s := startRedis(t)
	a, _ := s.listening(t)
	b, _ := s.listening(t)
	c := claimed(t, a, "alice")
	a.Release("alice", a.self+":another")
	if got := claimed(t, b, "alice"); got.Owner != a.self {
		t.Errorf("%+v", got)
	}
	a.Release("alice", c.Token)
	if got, err := b.Claim(t.Context(), "alice"); err != nil || got.Token != "" || got.Wait <= 0 {
		t.Errorf("%+v %v", got, err)
	}
	if got := claimed(t, b, "alice"); got.Owner != "" || a.Holds(c.Token) {
		t.Errorf("%+v", got)
	}
}

// TestWhatIsSent arrives in its order and once, whole and unread by others, through a
// connection that breaks.
func TestWhatIsSent(t *testing.T) {
	s := startRedis(t)
	a, _ := s.listening(t)
	b, e := s.listening(t)
	var want []string
	redis := s.client()
	defer redis.Close()
	for i := range 300 {
		m := fmt.Sprint("planted ", i)
		if i%100 == 50 {
			m += strings.Repeat(" long", part)
		}
		if i%30 == 0 {
			_ = redis.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err()
		}
		want = append(want, m)
		a.Send(b.self, []byte(m))
	}
	eventually(t, "all is there", func() bool { return e.has(len(want), 0, 0) })
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Equal(e.got, want) || len(e.gone) > 0 {
		t.Errorf("%d of %d arrive, or in another order; %d gaps", len(e.got), len(want), len(e.gone))
	}
}

// TestNobodyReadsAlong: what stands in Redis shows neither people nor words, all of it
// ends by itself, and nobody else's process can read it or repeat it.
func TestNobodyReadsAlong(t *testing.T) {
	s := startRedis(t)
	a, _ := s.listening(t)
	claimed(t, a, "alice")
	a.Send("nobody", []byte("planted"))
	c := s.client()
	defer c.Close()
	ctx := t.Context()
	eventually(t, "it is in Redis", func() bool { return c.XLen(ctx, a.inboxKey("nobody")).Val() == 1 })
	for _, key := range c.Keys(ctx, "*").Val() {
		if c.PTTL(ctx, key).Val() <= 0 || !strings.HasPrefix(key, "catflap:fleet:") || strings.Contains(key, "alice") {
			t.Errorf("%s lives %v", key, c.PTTL(ctx, key).Val())
		}
	}
	sealed := c.XRange(ctx, a.inboxKey("nobody"), "-", "+").Val()[0].Values["m"].(string)
	if strings.Contains(sealed, "planted") || strings.Contains(sealed, a.self) {
		t.Error("it can be read")
	}
	if _, err := a.keys.open(a.self, []byte(sealed)); err == nil {
		t.Error("another process can read it")
	}
	b, e := s.listening(t)
	a.Send(b.self, []byte("once"))
	eventually(t, "it arrives", func() bool { return e.has(1, 0, 0) })
	again := b.keys.seal(b.self, append(append([]byte{byte(len(a.self))}, a.self...), 0, 0, 0, 0, 0, 0, 0, 1, entryWhole, 'x'))
	for _, m := range [][]byte{again, []byte("forged"), nil} {
		if err := c.Do(ctx, "XADD", b.inboxKey(b.self), "*", "m", m).Err(); err != nil {
			t.Fatal(err)
		}
	}
	a.Send(b.self, []byte("last"))
	eventually(t, "the last arrives", func() bool { return e.has(2, 0, 0) })
	if !slices.Equal(e.got, []string{"once", "last"}) {
		t.Errorf("%q", e.got)
	}
}

// TestWhatIsMissingIsNoticed, and so is silence.
func TestWhatIsMissingIsNoticed(t *testing.T) {
	s := startRedis(t)
	a, _ := s.listening(t)
	b, e := s.listening(t)
	a.Send(b.self, []byte("one"))
	eventually(t, "it arrives", func() bool { return e.has(1, 0, 0) })
	l := a.link(b.self)
	l.mu.Lock()
	l.number++ // as if it had been trimmed
	l.mu.Unlock()
	a.Send(b.self, []byte("three"))
	eventually(t, "the gap is seen", func() bool { return e.has(2, 1, 0) })
	defer b.Watch("nobody")()
	eventually(t, "the silence is heard", func() bool { return e.has(2, 2, 0) })
	if e.gone[1] != "nobody" {
		t.Errorf("%q", e.gone)
	}
}

// TestALeaseThatCantBeRenewed is given up before its end, and nothing is claimed until
// it is sure that everybody has.
func TestALeaseThatCantBeRenewed(t *testing.T) {
	s := startRedis(t)
	a, e := s.listening(t)
	c := claimed(t, a, "alice")
	began := time.Now()
	s.kill()
	eventually(t, "it is given up", func() bool { return e.has(0, 0, 1) })
	if took := time.Since(began); took > short().lease || a.Holds(c.Token) || e.lost[0] {
		t.Errorf("after %v, late %v", took, e.lost[0])
	}
	s.start(t)
	back := time.Now()
	claimed(t, a, "alice")
	if took := time.Since(back); took < short().lease/2 {
		t.Errorf("claimed %v after Redis came back empty", took)
	}
}

// TestKeysAreTurnedOver: two processes of which one has the new key already never have
// the same person both.
func TestKeysAreTurnedOver(t *testing.T) {
	s := startRedis(t)
	old, next := []byte(strings.Repeat("o", 32)), []byte(strings.Repeat("n", 32))
	open := func(keys ...[]byte) *Fleet {
		c := s.client()
		t.Cleanup(func() { _ = c.Close() })
		f, err := New(Options{Client: c, Keys: keys, times: short()})
		if err != nil {
			t.Fatal(err)
		}
		f.Listen(&ear{})
		t.Cleanup(f.Close)
		return f
	}
	steps := []*Fleet{open(old), open(old, next), open(next, old), open(next)}
	for i := range len(steps) - 1 {
		person := fmt.Sprint("person ", i)
		first, second := claimed(t, steps[i], person), claimed(t, steps[i+1], person)
		if first.Owner != "" || second.Owner != steps[i].self {
			t.Errorf("step %d: %+v, %+v", i, first, second)
		}
	}
}

func TestOptions(t *testing.T) {
	c := startRedis(t).client()
	defer c.Close()
	for _, o := range []Options{{}, {Client: c}, {Client: c, Keys: [][]byte{[]byte("short")}}, {Keys: [][]byte{make([]byte, 32)}}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
