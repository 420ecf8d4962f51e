package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/catflap/catflap/internal/app"
)

// The bounds of a health check: a probe that hangs is worse than one that fails.
const (
	healthTimeout = 3 * time.Second
	readyTimeout  = 6 * time.Second // readiness may ask an identity provider
	healthAnswer  = 64 << 10
)

func healthCommand() command {
	return command{
		name: "healthcheck", args: "[--addr HOST:PORT | --config FILE] [--ready]", short: "ask a running Catflap whether it is alive",
		long: `
For containers without a shell: exit code 0 when the admin listener says that
Catflap is alive (or, with --ready, that it is ready); otherwise 1, and the
reasons. Prefer --addr: with --config, a file that is being edited and is wrong
for a moment makes a Catflap unhealthy that serves well.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			addr := f.String("addr", "127.0.0.1:9090", "the `ADDRESS` of the admin listener")
			file := f.String("config", "", "take the address from this configuration `FILE`")
			ready := f.Bool("ready", false, "ask for readiness, not only for life")
			return func(ctx context.Context, args []string) error {
				if err := noArguments("healthcheck", args); err != nil {
					return err
				}
				if *file != "" {
					if given(f, "addr") {
						return &usageError{"healthcheck takes --addr or --config, not both", "catflap healthcheck --addr 127.0.0.1:9090"}
					}
					c, _, err := app.Load(*file, e.handlers)
					if err != nil {
						return err
					}
					*addr = c.AdminListen
				}
				return askHealth(ctx, *addr, *ready)
			}
		},
	}
}

// given reports whether a flag was written.
func given(f *flag.FlagSet, name string) bool {
	found := false
	f.Visit(func(o *flag.Flag) { found = found || o.Name == name })
	return found
}

func askHealth(ctx context.Context, addr string, ready bool) error {
	if addr == "off" {
		return &hintedError{errors.New("the admin listener is off, so nobody can be asked"), "set admin_listen in the configuration"}
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return &usageError{fmt.Sprintf("%q is no address", addr), "--addr 127.0.0.1:9090"}
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost" // every interface, so this one too
	}
	path, timeout := "/healthz", healthTimeout
	if ready {
		path, timeout = "/readyz", readyTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy of the environment
	resp, err := client.Do(req)
	if err != nil {
		return &hintedError{fmt.Errorf("the admin listener at %s does not answer", addr), "is catflap running, with this admin_listen?"}
	}
	defer resp.Body.Close() //nolint:errcheck // nothing was written
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return notHealthy(resp)
}

// notHealthy tells what the listener said.
func notHealthy(resp *http.Response) error {
	var answer struct {
		Status  string   `json:"status"`
		Reasons []string `json:"reasons"`
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, healthAnswer))
	if err != nil || json.Unmarshal(body, &answer) != nil || answer.Status == "" {
		return &hintedError{fmt.Errorf("the answer is %d", resp.StatusCode), "is this the admin listener of a catflap?"}
	}
	if len(answer.Reasons) == 0 {
		return errors.New(answer.Status)
	}
	return fmt.Errorf("%s: %s", answer.Status, strings.Join(answer.Reasons, "; "))
}
