package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/internal/app"
)

// TestMain lets the test's own binary be what the bench starts: the upstream, the
// loads, the bare proxy, and, in the place of the built binary, Catflap.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || strings.HasPrefix(os.Args[1], "-") {
		os.Exit(m.Run())
	}
	var err error
	if os.Args[1] == "run" {
		err = runCatflap(os.Args[3])
	} else {
		err = run(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runCatflap(config string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return app.Run(ctx, app.Options{ConfigFile: config, Handlers: builtin.Registry(), Version: "bench", Stderr: os.Stderr})
}

// TestSmoke measures everything once, very shortly, with the contenders that
// need nothing installed.
func TestSmoke(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := newLab(ctx, t.TempDir(), 300)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.upstream.stop)
	l.catflap = l.self
	b := &bench{lab: l, settings: settings{rounds: 1, each: 60 * time.Millisecond}, figures: figures{}}
	for _, name := range []string{tunnel, plainProxy, catflap, separate} {
		c, err := b.run(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.process.stop)
		for _, r := range rows() {
			if !r.measures(name) {
				continue
			}
			if err := r.measure(b, ctx, c); err != nil {
				t.Fatalf("row %s, %s: %v\n%s", r.name, name, err, c.process.said())
			}
			if len(b.figures.rowsOf(r.name)) == 0 {
				t.Errorf("row %s has no figures", r.name)
			}
		}
	}
	b.done = 1
	var out bytes.Buffer
	b.print(&out)
	for _, want := range []string{"one token reused", "cheap refusals: expired", "against", plainProxy, catflap, "targets that a release must keep"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, &out)
		}
	}
}

// TestProveFindsImpostors holds that a contender that lets anybody through, or
// tells the upstream another name, is not measured.
func TestProveFindsImpostors(t *testing.T) {
	l, err := newLab(t.Context(), t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.upstream.stop)
	// The upstream itself lets every token through and is shown what clients claim.
	c := &contender{name: catflap, address: l.behind, judges: true, process: l.upstream}
	if err := l.prove(t.Context(), c); err == nil || !strings.Contains(err.Error(), `"admin"`) {
		t.Errorf("proved: %v", err)
	}
}

// TestTimeIsUp holds that a run ends in time, with its processes.
func TestTimeIsUp(t *testing.T) {
	l, err := newLab(t.Context(), t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.upstream.stop)
	c, err := l.run(t.Context(), plainProxy)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	b := &bench{lab: l, settings: settings{rounds: 1, each: time.Minute}, figures: figures{}}
	if err := b.oneToken(ctx, c); err == nil {
		t.Error("a load of a minute ended in 100 ms without an error")
	}
	c.process.stop()
	if took := time.Since(begun); took > patience {
		t.Errorf("it took %v", took)
	}
	if err := syscall.Kill(c.process.cmd.Process.Pid, 0); err == nil {
		t.Error("the process lives on")
	}
}
