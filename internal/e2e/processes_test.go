package e2e

import (
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"
)

// processes are those that this run has started and not yet seen end.
var processes = struct {
	mu      sync.Mutex
	running map[*exec.Cmd]bool
}{running: map[*exec.Cmd]bool{}}

// startProcess starts a process; the channel is closed when it has ended.
func startProcess(cmd *exec.Cmd) (<-chan struct{}, error) {
	processes.mu.Lock()
	defer processes.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	processes.running[cmd] = true
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // read from ProcessState
		processes.mu.Lock()
		defer processes.mu.Unlock()
		delete(processes.running, cmd)
		close(exited)
	}()
	return exited, nil
}

// leaveNothing ends all processes when the run is about to be ended from outside:
// by its time limit, which runs no cleanup, or by a signal.
func leaveNothing() {
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, syscall.SIGTERM)
	var limit <-chan time.Time
	if f := flag.Lookup("test.timeout"); f != nil {
		if d, err := time.ParseDuration(f.Value.String()); err == nil && d > 10*time.Second {
			limit = time.After(d - 5*time.Second)
		}
	}
	select {
	case <-stopped:
	case <-limit:
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
	}
	processes.mu.Lock() // for good: nothing new is started
	for cmd := range processes.running {
		signalProcess(cmd, syscall.SIGKILL)
	}
	os.Exit(1)
}

// signalProcess signals a process that was started, with the whole group if it leads
// one. One that has ended already is no failure.
func signalProcess(cmd *exec.Cmd, s syscall.Signal) {
	pid := cmd.Process.Pid
	if cmd.SysProcAttr != nil && cmd.SysProcAttr.Setpgid {
		pid = -pid
	}
	_ = syscall.Kill(pid, s)
}
