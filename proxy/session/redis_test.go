package session_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catflap/catflap/internal/e2e/parts"
	"github.com/catflap/catflap/proxy/session"
	"github.com/catflap/catflap/proxy/session/sessiontest"
)

// redisPassword is a planted secret: no error may show it.
const redisPassword = "planted-redis-password"

// redisServer is a real one, on this machine alone.
type redisServer struct {
	addr    string
	program *exec.Cmd
	output  bytes.Buffer
}

func startRedis(t testing.TB) *redisServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &redisServer{addr: l.Addr().String()}
	_ = l.Close()
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

func (s *redisServer) start(t testing.TB) {
	t.Helper()
	binary, env, err := parts.Redis()
	parts.Need(t, err)
	_, port, _ := net.SplitHostPort(s.addr)
	s.program = exec.Command(binary, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir(), "--requirepass", redisPassword)
	s.program.Env = append(os.Environ(), env...)
	s.program.Stdout, s.program.Stderr = &s.output, &s.output
	if err := s.program.Start(); err != nil {
		t.Fatal(err)
	}
	c := s.client()
	defer c.Close()
	eventually(t, "redis-server answers", func() bool { return c.Ping(context.Background()).Err() == nil })
}

// kill is -9, and waits.
func (s *redisServer) kill() {
	_ = s.program.Process.Kill()
	_ = s.program.Wait()
}

func (s *redisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.addr, Password: redisPassword, Protocol: 2, MaxRetries: -1})
}

func (s *redisServer) store(t testing.TB, prefix string) *session.Redis {
	t.Helper()
	r, err := session.NewRedis(session.RedisOptions{URL: "redis://" + s.addr + "/0", Password: redisPassword, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// dump is all that somebody who reads Redis sees.
func (s *redisServer) dump(t testing.TB) string {
	t.Helper()
	c := s.client()
	defer c.Close()
	ctx := context.Background()
	var all strings.Builder
	for _, key := range c.Keys(ctx, "*").Val() {
		all.WriteString(key + "\n")
		switch c.Type(ctx, key).Val() {
		case "hash":
			for field, value := range c.HGetAll(ctx, key).Val() {
				all.WriteString(field + "=" + value + "\n")
			}
		case "set":
			all.WriteString(strings.Join(c.SMembers(ctx, key).Val(), "\n"))
		default:
			all.WriteString(c.Get(ctx, key).Val())
		}
	}
	return all.String()
}

func TestRedis(t *testing.T) {
	server := startRedis(t)
	sessiontest.Run(t, func(t *testing.T) session.Store { return server.store(t, rand.Text()+":") })
}

func TestRedisLeavesNothingWithoutAnEnd(t *testing.T) {
	server, ctx := startRedis(t), t.Context()
	s := server.store(t, "")
	for i, ttl := range []time.Duration{time.Minute, time.Hour} {
		if err := s.Create(ctx, string(rune('a'+i)), []byte("1"), ttl, "i", "j"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Touch(ctx, "a", 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Once(ctx, "m", time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Lock(ctx, "l", time.Minute); err != nil {
		t.Fatal(err)
	}
	c := server.client()
	defer c.Close()
	keys := c.Keys(ctx, "*").Val()
	if len(keys) != 6 {
		t.Errorf("%q", keys)
	}
	for _, key := range keys {
		if ttl := c.PTTL(ctx, key).Val(); ttl <= 0 || !strings.HasPrefix(key, "catflap:") {
			t.Errorf("%s lives %v", key, ttl)
		}
		if strings.Contains(key, ":index:") && c.PTTL(ctx, key).Val() <= time.Hour {
			t.Errorf("%s ends before what is under it", key)
		}
	}
	for _, key := range []string{"a", "b"} {
		if _, err := s.Delete(ctx, key); err != nil {
			t.Fatal(err)
		}
	}
	if keys := c.Keys(ctx, "*index*").Val(); len(keys) != 0 {
		t.Errorf("indexes of nothing: %q", keys)
	}
}

// TestAnIndexInUseDoesNotGrow: who signs in every day must not leave a member of the
// index each time.
func TestAnIndexInUseDoesNotGrow(t *testing.T) {
	server, ctx := startRedis(t), t.Context()
	s := server.store(t, "")
	if err := s.Create(ctx, "lasting", []byte("1"), time.Hour, "i"); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if err := s.Create(ctx, rand.Text(), []byte("1"), time.Millisecond, "i"); err != nil {
			t.Fatal(err)
		}
	}
	c := server.client()
	defer c.Close()
	if n := c.SCard(ctx, "catflap:index:i").Val(); n > 100 {
		t.Errorf("%d members of which one lives", n)
	}
}

func TestARedisThatIsDown(t *testing.T) {
	server := startRedis(t)
	s := server.store(t, "")
	server.kill()
	begun := time.Now()
	_, get := s.Get(t.Context(), "a")
	_, once := s.Once(t.Context(), "a", time.Minute)
	_, _, lock := s.Lock(t.Context(), "a", time.Minute)
	_, del := s.Delete(t.Context(), "a")
	for what, err := range map[string]error{"get": get, "once": once, "lock": lock, "delete": del, "ready": s.Ready(t.Context())} {
		if err == nil || errors.Is(err, session.ErrNotFound) {
			t.Errorf("%s: %v, want a fault", what, err)
		} else if strings.Contains(err.Error(), redisPassword) {
			t.Errorf("%s shows the password: %v", what, err)
		}
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("that took %v", took)
	}
	server.start(t)
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("the server is back: %v", err)
	}
}

func TestTheSubscriptionIsMended(t *testing.T) {
	server := startRedis(t)
	s := server.store(t, "")
	messages, err := s.Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server.kill()
	server.start(t)
	select {
	case m := <-messages:
		if m != nil {
			t.Errorf("%q, want the notice", m)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody says that messages may have been missed")
	}
	if err := s.Publish(t.Context(), []byte("again")); err != nil {
		t.Fatal(err)
	}
	if m := <-messages; string(m) != "again" {
		t.Errorf("%q", m)
	}
}

func TestASilentRedisIsLost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	s, err := session.NewRedis(session.RedisOptions{URL: "redis://" + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := s.Ready(t.Context()); err == nil {
		t.Error("ready")
	}
	if _, err := s.Subscribe(t.Context()); err != nil {
		t.Errorf("it is to go on trying: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 12*time.Second {
		t.Errorf("that took %v", took)
	}
}

func TestRedisOptions(t *testing.T) {
	for _, o := range []session.RedisOptions{
		{URL: ""},
		{URL: "http://127.0.0.1:6379"},
		{URL: "redis://:planted@127.0.0.1:6379/0"},
		{URL: "redis://planted@127.0.0.1:6379/0"},
		{URL: "redis://127.0.0.1:6379/planted"},
		{URL: "redis://127.0.0.1:6379/0?password=planted"},
		{URL: "redis://127.0.0.1:planted"},
		{URL: "redis://127.0.0.1:6379/0#planted"},
		{URL: "redis://[planted"},
		{URL: "redis://127.0.0.1:6379/0", TLS: &tls.Config{MinVersion: tls.VersionTLS12}},
	} {
		s, err := session.NewRedis(o)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s is taken", o.URL)
		} else if strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: the error shows it: %v", o.URL, err)
		}
	}
	for _, o := range []session.RedisOptions{
		{URL: "redis://127.0.0.1:1"},
		{URL: "redis://127.0.0.1:1/3", Username: "u", Password: "p"},
		{URL: "rediss://redis.example:1/0", TLS: &tls.Config{MinVersion: tls.VersionTLS13}},
		{URL: "unix:///run/redis.sock?db=2"},
	} {
		s, err := session.NewRedis(o)
		if err != nil {
			t.Errorf("%s: %v", o.URL, err)
			continue
		}
		_ = s.Close()
	}
}

func TestAWrongPasswordIsNotShown(t *testing.T) {
	server := startRedis(t)
	s, err := session.NewRedis(session.RedisOptions{URL: "redis://" + server.addr, Password: "planted"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ready(t.Context()); err == nil || strings.Contains(err.Error(), "planted") {
		t.Error(err)
	}
}

// TestTheDocumentedUserMayDoAllThatIsNeeded, and nothing else.
func TestTheDocumentedUserMayDoAllThatIsNeeded(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "sessions.md"))
	must(t, err)
	_, line, ok := strings.Cut(string(page), "\nACL SETUSER ")
	if !ok {
		t.Fatal("docs/sessions.md has no ACL SETUSER")
	}
	line, _, _ = strings.Cut(line, "\n")
	server := startRedis(t)
	c := server.client()
	defer c.Close()
	args := []any{"ACL", "SETUSER"}
	for word := range strings.FieldsSeq(line) {
		args = append(args, word)
	}
	must(t, c.Do(t.Context(), args...).Err())
	open := func(t *testing.T, prefix string) session.Store {
		s, err := session.NewRedis(session.RedisOptions{URL: "redis://" + server.addr, Username: "catflap", Password: "PASSWORD", Prefix: prefix})
		must(t, err)
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	sessiontest.Run(t, func(t *testing.T) session.Store { return open(t, "catflap:"+rand.Text()+":") })
	other := open(t, "other:")
	if _, err := other.Once(t.Context(), "a", time.Minute); err == nil || other.Publish(t.Context(), []byte("a")) == nil {
		t.Error("keys and channels of others are open to it")
	}
}
