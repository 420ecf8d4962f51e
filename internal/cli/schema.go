package cli

import (
	"context"
	"flag"
	"io"

	"github.com/catflap/catflap/config"
)

func schemaCommand() command {
	return command{
		name: "schema", short: "print the JSON Schema of the configuration",
		long: `
Prints the JSON Schema (draft 2020-12) of the configuration file, for editors. It
knows the fields of the handler types that come with Catflap, and lets others pass;
check says more, and better.`,
		setup: func(_ *flag.FlagSet, e *env) func(context.Context, []string) error {
			return func(_ context.Context, args []string) error {
				if err := noArguments("schema", args); err != nil {
					return err
				}
				_, err := io.WriteString(e.stdout, config.Schema())
				return err
			}
		},
	}
}
