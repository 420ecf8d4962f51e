package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one that was started here, with its children.
type process struct {
	cmd *exec.Cmd
	log string // the file that it writes to, as in a real installation
}

const patience = 5 * time.Second // for a process that was told to end

// start runs a command in a process group of its own, so that what it starts ends
// with it.
func start(ctx context.Context, log string, env []string, name string, args ...string) (*process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the process has its own
	p := &process{cmd: exec.CommandContext(ctx, name, args...), log: log}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return p.signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = patience
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

// signal reaches the process and its children. Until it has been waited for, its
// number is nobody else's.
func (p *process) signal(s syscall.Signal) error { return syscall.Kill(-p.cmd.Process.Pid, s) }

func (p *process) stop() {
	_ = p.signal(syscall.SIGTERM) // it may have ended by itself
	cut := time.AfterFunc(patience, func() { _ = p.signal(syscall.SIGKILL) })
	defer cut.Stop()
	_ = p.cmd.Wait() // ended by a signal: no other end is due
}

// said is the end of what the process wrote.
func (p *process) said() []byte {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(text[max(0, len(text)-2000):])
}

// members are the process and everything that descends from it.
func (p *process) members() []int {
	children := map[int][]int{}
	entries, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, entry := range entries {
		f := statFields(entry)
		if len(f) < 2 {
			continue // it has ended by now
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		parent, _ := strconv.Atoi(f[1])
		children[parent] = append(children[parent], pid)
	}
	list := []int{p.cmd.Process.Pid}
	for i := 0; i < len(list); i++ {
		list = append(list, children[list[i]]...)
	}
	return list
}

// statFields are the fields of a stat file behind the command's name: state,
// parent, ...
func statFields(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return fieldsBehindName(string(text))
}

// fieldsBehindName takes the last parenthesis, since a name may hold one.
func fieldsBehindName(text string) []string {
	return strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
}

// cpu is the user and system time of all members. Linux counts it in hundredths
// of a second there, whatever its own clock is.
func (p *process) cpu() time.Duration {
	const tick = 10 * time.Millisecond
	return time.Duration(p.sum(11)+p.sum(12)) * tick
}

// rss is the resident memory of all members in bytes.
func (p *process) rss() int64 { return p.sum(21) * int64(os.Getpagesize()) }

// sum adds up one field of the members' stat files.
func (p *process) sum(field int) (total int64) {
	for _, pid := range p.members() {
		if f := statFields(fmt.Sprintf("/proc/%d/stat", pid)); len(f) > field {
			n, _ := strconv.ParseInt(f[field], 10, 64)
			total += n
		}
	}
	return total
}

// freeAddress is a loopback address that nobody listens on at the moment.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// awaitListener waits until somebody listens.
func awaitListener(ctx context.Context, address string) error {
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on %s: %w", address, err)
		case <-time.After(time.Millisecond):
		}
	}
}
