package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
)

// keyed is a folder of secrets, and the configuration of sessions that names them.
type keyed struct {
	t   testing.TB
	dir string
}

func newKeyed(t testing.TB) keyed { return keyed{t, t.TempDir()} }

func (k keyed) write(name, content string) {
	k.t.Helper()
	plant(content)
	if err := os.WriteFile(filepath.Join(k.dir, name), []byte(content), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

func (k keyed) sessions(r *redis, keys ...string) string {
	text := ""
	for _, name := range keys {
		text += fmt.Sprintf("{file: %s/%s}, ", k.dir, name)
	}
	text = "keys: [" + strings.TrimSuffix(text, ", ") + "]"
	if r != nil {
		text = fmt.Sprintf("store: redis\nredis: {url: \"redis://%s/0\", password: {file: %s/password}}\n%s", r.addr, k.dir, text)
	}
	return text
}

const (
	firstKey  = "the first session key, of more than 32 bytes"
	secondKey = "the second session key, of more than 32 bytes"
)

// mustReload reloads with a status.
func mustReload(t testing.TB, f *flap, status int, says string) {
	t.Helper()
	if got, body := f.reload(); got != status || !strings.Contains(body, says) {
		t.Errorf("the reload is answered %d %s; want %d and %q", got, body, status, says)
	}
}

// TestALeakedSessionKey holds the last line of docs/sessions.md: replace the key,
// reload every Catflap, and everybody is out, sockets too.
func TestALeakedSessionKey(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("redis %v", shared), func(t *testing.T) {
			t.Parallel()
			idp, cat, k := startProvider(t), startCat(t), newKeyed(t)
			k.write("key", firstKey)
			var r *redis
			if shared {
				r = startRedis(t)
				k.write("password", r.password)
			}
			both := config{cat: cat.tap.addr, desks: []desk{idp.desk("company")}, sessions: k.sessions(r, "key")}
			flaps := []*flap{start(t, both)}
			if shared {
				both.publicURL = publicURL(flaps[0].addr)
				flaps = append(flaps, start(t, both))
			}
			v := newVisitor(t, publicURL(flaps[0].addr))
			v.signIn(idp, "company", "alice")
			last := flaps[len(flaps)-1]
			c := v.socket(last.addr)

			k.write("key", secondKey)
			for _, f := range flaps {
				mustReload(t, f, 200, "reloaded")
			}
			for _, f := range flaps {
				if who := v.is(f.addr); who != "" {
					t.Errorf("after the key was replaced: %q", who)
				}
			}
			closed(t, c, patience)
			v.signIn(idp, "company", "alice")
			if who := v.is(last.addr); who != "company:"+aliceSub {
				t.Errorf("signed in as %q", who)
			}
		})
	}
}

// TestTheSessionKeyTurnsOver holds the three steps of docs/sessions.md: nobody is
// signed out by them, and the old key opens nothing at the end.
func TestTheSessionKeyTurnsOver(t *testing.T) {
	t.Parallel()
	idp, cat, k, r := startProvider(t), startCat(t), newKeyed(t), startRedis(t)
	k.write("old", firstKey)
	k.write("new", secondKey)
	k.write("password", r.password)
	conf := config{cat: cat.tap.addr, desks: []desk{idp.desk("company")}, sessions: k.sessions(r, "old")}
	a := start(t, conf)
	conf.publicURL = publicURL(a.addr)
	b := start(t, conf)
	step := func(keys ...string) {
		t.Helper()
		for _, f := range []*flap{a, b} {
			c := conf
			c.sessions = k.sessions(r, keys...)
			f.configure(c)
			mustReload(t, f, 200, "reloaded")
		}
	}
	is := func(v *visitor, want string) {
		t.Helper()
		for _, f := range []*flap{a, b} {
			if who := v.is(f.addr); who != want {
				t.Errorf("%q, want %q", who, want)
			}
		}
	}
	before, after := newVisitor(t, publicURL(a.addr)), newVisitor(t, publicURL(a.addr))
	before.signIn(idp, "company", "alice")
	step("old", "new")
	is(before, "company:"+aliceSub)
	step("new", "old")
	is(before, "company:"+aliceSub)
	after.signIn(idp, "company", "bob")
	step("new")
	is(before, "")
	is(after, "company:"+bobSub)
}

// TestARedisPasswordNeedsARestart: the answer says so, and fails, each time.
func TestARedisPasswordNeedsARestart(t *testing.T) {
	t.Parallel()
	idp, cat, k, r := startProvider(t), startCat(t), newKeyed(t), startRedis(t)
	k.write("key", firstKey)
	k.write("password", r.password)
	f := start(t, config{cat: cat.tap.addr, desks: []desk{idp.desk("company")}, sessions: k.sessions(r, "key")})
	mustReload(t, f, 200, "reloaded")
	k.write("password", "another password of the Redis server")
	for range 2 {
		mustReload(t, f, 409, "sessions.redis.password")
	}
	k.write("password", r.password)
	mustReload(t, f, 200, "reloaded")
}

// TestRedisIsEmptied: the sockets of the sessions that are lost end, though no
// connection does.
func TestRedisIsEmptied(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	c := startCouple(t, cat.tap.addr, idp.desk("company"))
	v := newVisitor(t, publicURL(c.a.addr))
	v.signIn(idp, "company", "alice")
	socket := v.socket(c.b.addr)
	client := goredis.NewClient(&goredis.Options{Addr: c.redis.addr, Password: c.redis.password, Protocol: 2})
	defer client.Close()
	await(t, "both have counted", func() bool {
		return len(client.Keys(t.Context(), "catflap:tally:*").Val()) == 2
	}, c.b.log.String)
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	closed(t, socket, patience)
}
