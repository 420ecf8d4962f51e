package session_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catflap/catflap/proxy/session"
)

// snapshot is all that Redis holds.
func (s *redisServer) snapshot(t *testing.T) map[string]string {
	t.Helper()
	c, all := s.client(), map[string]string{}
	defer c.Close()
	for _, key := range c.Keys(t.Context(), "*").Val() {
		all[key] = c.Dump(t.Context(), key).Val()
	}
	return all
}

// putBack makes Redis what it was, without a connection that is lost.
func (s *redisServer) putBack(t *testing.T, all map[string]string) {
	t.Helper()
	c := s.client()
	defer c.Close()
	_, err := c.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		p.FlushAll(t.Context())
		for key, value := range all {
			p.Restore(t.Context(), key, time.Hour, value)
		}
		return nil
	})
	must(t, err)
}

func findsNobody(f *flap, b *browser) func() bool {
	return func() bool { _, err := f.Find(context.Background(), b.request()); return err != nil }
}

// TestAStoreThatIsPutBack: who has signed out stays so, at who knew of it at once, and
// at a Catflap that started later as soon as the others have seen it.
func TestAStoreThatIsPutBack(t *testing.T) {
	server, c := startRedis(t), newClock()
	one, two := newFlap(t, c, server.store(t, "")), newFlap(t, c, server.store(t, ""))
	out, gone, stays := newBrowser(), newBrowser(), newBrowser()
	s := one.start(t, out, login("alice", c))
	one.start(t, gone, login("bob", c))
	one.start(t, stays, login("carol", c))
	old := newBrowser()
	maps.Copy(old.cookies, out.cookies)
	one.start(t, out, login("alice", c)) // another id, and the same session
	eventually(t, "their numbers are in Redis", func() bool {
		client := server.client()
		defer client.Close()
		return len(client.Keys(context.Background(), "catflap:tally:*").Val()) == 2
	})
	before := server.snapshot(t)
	must(t, one.End(t.Context(), s))
	if n, err := one.EndPerson(t.Context(), issuer, "bob"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	eventually(t, "the other one hears of it", func() bool { return two.toldOf(ofSession(s)) })
	server.putBack(t, before)
	late := newFlap(t, c, server.store(t, ""))
	for name, f := range map[string]*flap{"one": one, "two": two} {
		for who, b := range map[string]*browser{"alice": out, "alice's old id": old, "bob": gone} {
			if !findsNobody(f, b)() {
				t.Errorf("%s is back at %s", who, name)
			}
		}
		if findsNobody(f, stays)() {
			t.Errorf("carol is out at %s", name)
		}
	}
	eventually(t, "nobody is back at a Catflap that started later", func() bool {
		return findsNobody(late, out)() && findsNobody(late, gone)()
	})
	if findsNobody(late, stays)() {
		t.Error("carol is out")
	}
}

// TestAStoreThatIsEmptied: the sockets of the sessions that are lost are looked up.
func TestAStoreThatIsEmptied(t *testing.T) {
	server, c := startRedis(t), newClock()
	f := newFlap(t, c, server.store(t, ""))
	client := server.client()
	defer client.Close()
	eventually(t, "its number is in Redis", func() bool { return len(client.Keys(t.Context(), "catflap:tally:*").Val()) == 1 })
	must(t, client.FlushAll(t.Context()).Err())
	eventually(t, "the sockets are looked up", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.resyncs > 0 })
}

// TestASignedOutSessionStaysOutOfMemory is the same for what another writes there.
func TestASignedOutSessionStaysOutOfMemory(t *testing.T) {
	c := newClock()
	store := session.NewMemory(c.Now, 10)
	kept := &keeping{Store: store}
	f, b := newFlap(t, c, kept), newBrowser()
	s := f.start(t, b, login("alice", c))
	must(t, f.End(t.Context(), s))
	must(t, store.Create(t.Context(), kept.key, kept.value, time.Hour))
	_, err := f.Find(t.Context(), b.request())
	want(t, err, session.ErrNoSession)
	if store.Len() != 0 {
		t.Error("it is still in the store")
	}
}

// keeping remembers the last entry that was made.
type keeping struct {
	session.Store
	key   string
	value []byte
}

func (k *keeping) Create(ctx context.Context, key string, value []byte, ttl time.Duration, indexes ...string) error {
	k.key, k.value = key, value
	return k.Store.Create(ctx, key, value, ttl, indexes...)
}
