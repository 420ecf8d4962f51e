package cli

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/catflap/catflap/config"
)

// version is the module's version, or the commit that was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			revision = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	if revision == "" {
		return "devel"
	}
	return revision + dirty
}

func versionCommand() command {
	return command{
		name: "version", short: "say which Catflap this is", long: "Prints the version, the Go version and the platform.",
		setup: func(_ *flag.FlagSet, e *env) func(context.Context, []string) error {
			return func(_ context.Context, args []string) error {
				if err := noArguments("version", args); err != nil {
					return err
				}
				fmt.Fprintf(e.stdout, "catflap %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return nil
			}
		},
	}
}

func schemaCommand() command {
	return command{
		name: "schema", short: "print the JSON Schema of the configuration", long: "Prints the JSON Schema (draft 2020-12) of the configuration file, for editors.",
		setup: func(_ *flag.FlagSet, e *env) func(context.Context, []string) error {
			return func(_ context.Context, args []string) error {
				if err := noArguments("schema", args); err != nil {
					return err
				}
				_, err := fmt.Fprint(e.stdout, config.Schema())
				return err
			}
		},
	}
}
