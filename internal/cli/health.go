package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/catflap/catflap/internal/app"
)

func healthCommand() command {
	return command{
		name: "healthcheck", args: "[--admin HOST:PORT | --config FILE] [--ready]", short: "ask a running Catflap whether it is alive",
		long: `
For containers without a shell: exit code 0 when the admin listener says that
Catflap is alive (or, with --ready, that it is ready).`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			admin := f.String("admin", "127.0.0.1:9090", "the admin listener's `ADDRESS`")
			file := f.String("config", "", "take the address from this configuration `FILE`")
			ready := f.Bool("ready", false, "ask for readiness, not only for life")
			return func(ctx context.Context, args []string) error {
				if err := noArguments("healthcheck", args); err != nil {
					return err
				}
				if *file != "" {
					c, _, err := app.Load(*file, e.handlers)
					if err != nil {
						return err
					}
					*admin = c.AdminListen
				}
				return askHealth(ctx, *admin, *ready)
			}
		},
	}
}

func askHealth(ctx context.Context, admin string, ready bool) error {
	host, port, err := net.SplitHostPort(admin)
	if err != nil {
		return &usageError{fmt.Sprintf("%q is no admin address", admin), "--admin 127.0.0.1:9090"}
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	path := "/healthz"
	if ready {
		path = "/readyz"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return &hintedError{errors.New("the admin listener does not answer"), "is catflap running, with admin_listen at " + admin + "?"}
	}
	_ = resp.Body.Close() // only the status counts
	if resp.StatusCode != http.StatusOK {
		return &hintedError{fmt.Errorf("it answers %d", resp.StatusCode), "GET " + path + " on the admin listener says why"}
	}
	return nil
}
