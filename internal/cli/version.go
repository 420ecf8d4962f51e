package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/catflap/catflap/internal/licences"
)

const modulePath = "github.com/catflap/catflap"

// linked is the version that the linker was told (-ldflags -X); only the linker
// writes it. Without it the version is that of the module or of the checkout.
var linked string

// version says which Catflap this is, for people, the log and the metrics.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(linked, "unknown")
	}
	return cmp.Or(linked, moduleVersion(info), "devel")
}

// moduleVersion is Catflap's own, also in a program that has handlers of its own
// and is therefore another module.
func moduleVersion(info *debug.BuildInfo) string {
	v := info.Main.Version
	if info.Main.Path != modulePath {
		v = ""
		for _, d := range info.Deps {
			if d.Path == modulePath && d.Replace == nil {
				v = d.Version
			}
		}
	}
	if v == "(devel)" {
		return ""
	}
	return v
}

// commit is the revision that was built, where the build knows it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, changed := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	return revision + changed
}

func versionCommand() command {
	return command{
		name: "version", short: "say which Catflap this is",
		long: "Prints the version, the commit that was built, the Go version and the platform.",
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			texts := f.Bool("licenses", false, "print the licence texts of what is built in instead")
			return func(_ context.Context, args []string) error {
				if err := noArguments("version", args); err != nil {
					return err
				}
				if *texts {
					fmt.Fprint(e.stdout, licences.ThirdParty())
					return nil
				}
				fmt.Fprintf(e.stdout, "catflap %s (commit %s, %s, %s/%s)\n", version(), commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return nil
			}
		},
	}
}
