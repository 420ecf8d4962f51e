package session_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
	"github.com/catflap/catflap/proxy/session"
	"github.com/catflap/catflap/proxy/session/sessiontest"
)

// clock can be moved.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time        { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(by time.Duration) { c.ahead.Add(int64(by)) }

func TestMemory(t *testing.T) {
	sessiontest.Run(t, func(*testing.T) (func() session.Store, func(time.Duration)) {
		c := &clock{}
		m := session.NewMemory(c.now, 1000)
		return func() session.Store { return m }, c.pass
	})
}

func TestMemoryIsBounded(t *testing.T) {
	c := &clock{}
	m := session.NewMemory(c.now, 10)
	full := 0
	for range 100 {
		if err := m.Create(t.Context(), strings.Repeat("k", full+1), []byte("x"), time.Minute); errors.Is(err, session.ErrFull) {
			break
		}
		full++
	}
	if full != 10 {
		t.Errorf("%d fit in", full)
	}
	c.pass(2 * time.Minute)
	room := false
	for range 20 { // what has expired makes room, if not at once
		room = room || m.Create(t.Context(), "new", []byte("x"), time.Minute) == nil
	}
	if !room {
		t.Error("what has expired takes the room of others")
	}
}

const redisPassword = "only-for-tests"

var redisServer = sync.OnceValues(func() (string, error) { return startRedis() })

// startRedis starts one server for all tests of this package. It ends with the
// process: its standard input is a pipe of ours.
func startRedis() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address := l.Addr().String()
	_ = l.Close()
	binary, env, err := parts.Redis()
	if err != nil {
		return "", err
	}
	host, port, _ := strings.Cut(address, ":")
	cmd := exec.Command(binary, "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--requirepass", redisPassword)
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		return "", err
	}
	servers = append(servers, cmd)
	for range 500 {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return address, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return "", errors.New("redis-server does not answer")
}

// servers are those that this run started.
var servers []*exec.Cmd

func TestMain(m *testing.M) {
	code := m.Run()
	for _, cmd := range servers {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	os.Exit(code)
}

// redisStore opens a store on the real server, under a prefix of the test's own.
func redisStore(t *testing.T, prefix string) *session.Redis {
	t.Helper()
	address, err := redisServer()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s, err := session.NewRedis(session.RedisOptions{URL: "redis://" + address + "/0", Password: redisPassword, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestRedis(t *testing.T) {
	sessiontest.Run(t, func(t *testing.T) (func() session.Store, func(time.Duration)) {
		return func() session.Store { return redisStore(t, t.Name()+":") }, time.Sleep // the server's clock is its own
	})
}

func TestRedisErrorsHoldNoSecret(t *testing.T) {
	for _, o := range []session.RedisOptions{
		{URL: "redis://user:hunter2@127.0.0.1:1/0"}, {URL: "http://127.0.0.1:1", Password: "hunter2"}, {URL: "redis://%zzhunter2", Password: "hunter2"},
	} {
		if _, err := session.NewRedis(o); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
	s, err := session.NewRedis(session.RedisOptions{URL: "redis://127.0.0.1:1/0", Username: "u", Password: "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ready(t.Context()); err == nil || errors.Is(err, session.ErrNotFound) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	redisStore(t, "unused:") // or skipped
	address, err := redisServer()
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := session.NewRedis(session.RedisOptions{URL: "redis://" + address, Password: "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	if _, err := wrong.Get(t.Context(), "k"); err == nil || errors.Is(err, session.ErrNotFound) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}
