package cli

import (
	"context"
	"flag"
	"fmt"

	"github.com/catflap/catflap/internal/app"
)

func checkCommand() command {
	return command{
		name: "check", args: "FILE [--resolved]", short: "say what is wrong with a configuration file",
		long: `
Reads the file as run would, and verifies that the files and variables which it
names exist and can be used. It asks no network. Everything that is wrong is
printed at once; warnings are no errors. Exit code 0: run would start with it.
Behind "ok" it says in words who may do what, for a second look.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			resolved := f.Bool("resolved", false, "print the whole configuration, defaults included, secrets by their names")
			return func(_ context.Context, args []string) error {
				if len(args) != 1 {
					return &usageError{"check needs one configuration file", "catflap check catflap.yaml"}
				}
				c, warnings, err := app.Load(args[0], e.handlers)
				if err != nil {
					return err
				}
				for _, w := range warnings {
					fmt.Fprintf(e.stderr, "warning: %s\n", w.String())
				}
				if *resolved {
					text, err := c.Resolved()
					if err != nil {
						return err
					}
					_, err = e.stdout.Write(text)
					return err
				}
				fmt.Fprintf(e.stdout, "%s: ok\n", args[0])
				summarize(e.stdout, c)
				return nil
			}
		},
	}
}
