package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// playing is the argument by which the test's own binary plays a role.
const playing = "play"

// actor is a process that plays a role in a soak.
type actor struct {
	t    testing.TB
	role string
	in   io.Writer
	out  *json.Decoder
}

func startActor(t testing.TB, role string) *actor {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, playing, role)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, said := io.Pipe()
	cmd.Stdout, cmd.Stderr = said, os.Stderr
	exited, err := startProcess(cmd)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-exited
		_ = said.CloseWithError(errors.Join(io.ErrUnexpectedEOF, fmt.Errorf("the process has ended: %v", cmd.ProcessState)))
	}()
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = out.Close()
		select {
		case <-exited:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
			t.Errorf("the %s of the soak did not end", role)
		}
	})
	return &actor{t, role, in, json.NewDecoder(out)}
}

// say gives a value to the actor.
func (a *actor) say(v any) {
	a.t.Helper()
	if err := json.NewEncoder(a.in).Encode(v); err != nil {
		a.t.Fatalf("%s: %v", a.role, err)
	}
}

func (a *actor) order(line string) {
	a.t.Helper()
	if _, err := fmt.Fprintln(a.in, line); err != nil {
		a.t.Fatalf("%s: %v", a.role, err)
	}
}

// hear waits for what the actor says next.
func (a *actor) hear(v any) {
	a.t.Helper()
	if err := a.out.Decode(v); err != nil {
		a.t.Fatalf("%s: %v", a.role, err)
	}
}
