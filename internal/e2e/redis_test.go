package e2e

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// redis is a real Redis server that keeps nothing on disk.
type redis struct {
	addr, password string
	stop           func()
}

func startRedis(t testing.TB) *redis {
	t.Helper()
	r := &redis{addr: freeAddress(t), password: "redis-" + rand.Text()}
	plant(r.password)
	r.restart(t)
	return r
}

// restart starts the server again after stop, empty, at the same address.
func (r *redis) restart(t testing.TB) {
	t.Helper()
	program, env, missing := installed.Redis()
	parts.Need(t, missing)
	host, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		t.Fatal(err)
	}
	log := &output{}
	cmd := exec.Command(program, "--bind", host, "--port", port, "--requirepass", r.password,
		"--save", "", "--appendonly", "no", "--dir", t.TempDir())
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	r.stop = run(t, cmd)
	await(t, "redis ready", func() bool { return r.ping(r.password) == "+PONG\r\n" }, log.String)
}

// ping is the server's answer to PING after that password, or nothing.
func (r *redis) ping(password string) string {
	conn, err := net.DialTimeout("tcp", r.addr, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	lines := bufio.NewReader(conn)
	fmt.Fprintf(conn, "AUTH %s\r\n", password)
	if said, err := lines.ReadString('\n'); err != nil || said != "+OK\r\n" {
		return said
	}
	fmt.Fprint(conn, "PING\r\n")
	said, _ := lines.ReadString('\n')
	return said
}

// TestRedis: the server answers whoever knows the password, and comes back empty
// after an end.
func TestRedis(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	if got := r.ping(r.password); got != "+PONG\r\n" {
		t.Errorf("PING was answered %q", got)
	}
	if got := r.ping("wrong"); len(got) == 0 || got[0] != '-' {
		t.Errorf("a wrong password was answered %q", got)
	}
	r.stop()
	if got := r.ping(r.password); got != "" {
		t.Errorf("a stopped server answered %q", got)
	}
	r.restart(t)
}
