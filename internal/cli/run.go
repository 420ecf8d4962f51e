package cli

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"github.com/catflap/catflap/internal/app"
	"github.com/catflap/catflap/internal/gctune"
)

func runCommand() command {
	return command{
		name: "run", args: "--config FILE", short: "serve, with a configuration file",
		long: `
Serves until SIGTERM or Ctrl-C: requests under way may end, sockets are closed
with 1001, for at most limits.stop_grace; a second signal cuts them. SIGHUP, or
POST /-/reload on the admin listener, reads the file again; when it is wrong, the
last good one stays in force.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			file := f.String("config", "", "the configuration `FILE`")
			return func(ctx context.Context, args []string) error {
				if err := noArguments("run", args); err != nil {
					return err
				}
				if *file == "" {
					return &usageError{"run needs a configuration file", "catflap run --config catflap.yaml"}
				}
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				most := gctune.Start(ctx)
				signals := make(chan os.Signal, 4)
				signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
				defer signal.Stop(signals)
				return explainStart(app.Run(ctx, app.Options{
					ConfigFile: *file, Handlers: e.handlers, Version: version(), MemoryLimit: most, Stderr: e.stderr, Signals: signals,
				}))
			}
		},
	}
}

// explainStart adds what to do about the commonest failures.
func explainStart(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return &hintedError{err, "another program listens there already; end it or choose another port"}
	case errors.Is(err, syscall.EACCES):
		return &hintedError{err, "ports below 1024 need a right of their own; choose a higher one"}
	}
	return err
}
