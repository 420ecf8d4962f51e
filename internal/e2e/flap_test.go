package e2e

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// flap is a running Catflap.
type flap struct {
	t          testing.TB
	addr       string // what people reach
	admin      string // health and reload
	configFile string
	binary     string
	cmd        *exec.Cmd
	log        *output
	exited     <-chan struct{} // closed when the process has ended
	killed     bool            // by the test
	env        []string        // further variables
}

// output collects what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// start runs the binary with the configuration and waits until it is ready. At
// the end of the test it must stop by itself, without a race, a panic, or a
// planted secret in what it wrote.
func start(t testing.TB, c config) *flap {
	t.Helper()
	f := launch(t, c)
	f.await("ready", func() bool { return f.ready() == http.StatusOK })
	return f
}

// launch is start for a Catflap that need not become ready.
func launch(t testing.TB, c config) *flap {
	t.Helper()
	dir := t.TempDir()
	f := &flap{
		t: t, addr: freeAddress(t), admin: freeAddress(t), log: &output{},
		configFile: filepath.Join(dir, "catflap.yaml"), binary: cmp.Or(c.binary, binary), env: c.env,
	}
	c.listen, c.admin = f.addr, f.admin
	c.write(t, f.configFile)
	f.run()
	t.Cleanup(f.finish)
	f.await("listening", func() bool { return f.ready() != 0 && listens(f.addr) })
	return f
}

func (f *flap) run() {
	f.t.Helper()
	f.cmd = exec.Command(f.binary, "run", "--config", f.configFile)
	f.cmd.Dir = filepath.Dir(f.configFile)
	f.cmd.Env = append(os.Environ(), "CCAT_API_KEY="+catKey, "CCAT_API_KEY_WS="+catKeyWS, "GORACE=halt_on_error=0 exitcode=66")
	f.cmd.Env = append(f.cmd.Env, f.env...)
	f.cmd.Stdout, f.cmd.Stderr = f.log, f.log
	f.killed = false
	var err error
	if f.exited, err = startProcess(f.cmd); err != nil {
		f.t.Fatal(err)
	}
}

// again starts it at the same address after a kill.
func (f *flap) again() {
	f.t.Helper()
	f.run()
	f.await("ready again", func() bool { return f.ready() == http.StatusOK })
}

// listens reports whether somebody accepts connections there.
func listens(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// nextPort is the last port that was handed out. They come from below the range
// from which the system gives away ports by itself, so that nobody takes one
// between its choice and its use.
var nextPort atomic.Int32

// freeAddress names a free loopback address.
func freeAddress(t testing.TB) string {
	t.Helper()
	addr, err := findAddress()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func findAddress() (string, error) {
	nextPort.CompareAndSwap(0, 20000+int32(os.Getpid()%8000))
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", nextPort.Add(1))
		l, err := net.Listen("tcp", addr)
		if err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no free port")
}

// ready is the status of the readiness page, or 0 if nobody answers.
func (f *flap) ready() int {
	status, _ := f.readiness()
	return status
}

func (f *flap) readiness() (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return get(ctx, "http://"+f.admin+"/readyz")
}

// await polls until the condition holds; a process that ends meanwhile is a failure.
func (f *flap) await(what string, holds func() bool) {
	f.t.Helper()
	await(f.t, what, func() bool {
		select {
		case <-f.exited:
			f.t.Fatalf("catflap ended while waiting until it is %s:\n%s", what, f.log)
		default:
		}
		return holds()
	}, func() string { return f.log.String() })
}

// await polls until the condition holds, for at most 20 seconds.
func await(t testing.TB, what string, holds func() bool, detail func() string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not %s within 20 s:\n%s", what, detail())
		}
	}
}

// signal sends a signal to the process that this test started.
func (f *flap) signal(s syscall.Signal) {
	f.t.Helper()
	if err := f.cmd.Process.Signal(s); err != nil {
		f.t.Fatal(err)
	}
}

// kill ends the process without a word.
func (f *flap) kill() {
	f.t.Helper()
	f.killed = true
	f.signal(syscall.SIGKILL)
	<-f.exited
}

// wait is the exit code, once the process has ended.
func (f *flap) wait(limit time.Duration) (int, error) {
	select {
	case <-f.exited:
		return f.cmd.ProcessState.ExitCode(), nil
	case <-time.After(limit):
		return 0, fmt.Errorf("still running after %s", limit)
	}
}

func (f *flap) finish() {
	_ = f.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	code, err := f.wait(30 * time.Second)
	if err != nil {
		_ = f.cmd.Process.Kill()
		<-f.exited
		f.t.Errorf("SIGTERM: %v", err)
	} else if code != 0 && !f.killed {
		f.t.Errorf("exit code %d", code)
	}
	said := f.log.String()
	for _, bad := range []string{"DATA RACE", "panic:", "fatal error:", "goroutine 1 ["} {
		if i := strings.Index(said, bad); i >= 0 {
			f.t.Errorf("catflap wrote %q:\n%s", bad, said[i:min(len(said), i+4000)])
		}
	}
	noSecret(f.t, "log of catflap", []byte(said))
	if f.t.Failed() {
		f.t.Logf("the end of catflap's log:\n%s", said[max(0, len(said)-6000):])
	}
}
