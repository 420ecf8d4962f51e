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
	name string
	cmd  *exec.Cmd
	out  *bytes.Buffer
}

// start runs a command in a process group of its own, so that what it starts ends
// with it.
func start(ctx context.Context, env []string, name string, args ...string) (*process, error) {
	p := &process{name: filepath.Base(name), cmd: exec.CommandContext(ctx, name, args...), out: &bytes.Buffer{}}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM) }
	p.cmd.WaitDelay = 5 * time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// members are the process and everything that descends from it.
func (p *process) members() []int {
	children := map[int][]int{}
	entries, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, entry := range entries {
		f := statFields(entry)
		if len(f) < 20 {
			continue
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
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest)
}

// cpu is the user and system time of all members. The kernel counts it in
// hundredths of a second here.
func (p *process) cpu() time.Duration {
	const tick = 10 * time.Millisecond
	var ticks int64
	for _, pid := range p.members() {
		if f := statFields(fmt.Sprintf("/proc/%d/stat", pid)); len(f) > 13 {
			user, _ := strconv.ParseInt(f[11], 10, 64)
			system, _ := strconv.ParseInt(f[12], 10, 64)
			ticks += user + system
		}
	}
	return time.Duration(ticks) * tick
}

// rss is the resident memory of all members in bytes.
func (p *process) rss() int64 {
	var pages int64
	for _, pid := range p.members() {
		if f := statFields(fmt.Sprintf("/proc/%d/stat", pid)); len(f) > 21 {
			n, _ := strconv.ParseInt(f[21], 10, 64)
			pages += n
		}
	}
	return pages * int64(os.Getpagesize())
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

// awaitListener waits until the address answers.
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
