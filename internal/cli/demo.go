package cli

import (
	"context"
	"flag"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/catflap/catflap/internal/app"
	"github.com/catflap/catflap/internal/demo"
)

func demoCommand() command {
	return command{
		name: "demo", args: "[--listen HOST:PORT] [--log]", short: "try everything on this machine, with two people and a stand-in Cat",
		long: `
Starts an identity provider with alice (an administrator) and bob, a stand-in Cat
with a chat page, and Catflap between them, and prints where to sign in and lines
to paste. Everything listens on this machine only and ends with Ctrl-C. A port
that is taken is replaced by a free one.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			listen := f.String("listen", "127.0.0.1:8080", "the `ADDRESS` of Catflap: a port of 127.0.0.1 or ::1")
			log := f.Bool("log", false, "show Catflap's log")
			return func(ctx context.Context, args []string) error {
				if err := noArguments("demo", args); err != nil {
					return err
				}
				signals := make(chan os.Signal, 4)
				signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
				defer signal.Stop(signals)
				stderr := io.Discard
				if *log {
					stderr = e.stderr
				}
				return explainStart(demo.Run(ctx, demo.Options{
					Stdout: e.stdout, Listen: *listen, Provider: "127.0.0.1:8081", Cat: "127.0.0.1:1865", Admin: "127.0.0.1:9090",
					Run: func(ctx context.Context, configFile string, ready func()) error {
						return app.Run(ctx, app.Options{
							ConfigFile: configFile, Handlers: e.handlers, Version: version(), Stderr: stderr, Signals: signals,
							Ready: func(_, _ net.Addr) { ready() },
						})
					},
				}))
			}
		},
	}
}
