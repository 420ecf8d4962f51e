// Package cmd is the way into Catflap for a program with handlers of its own:
// everything that the catflap command does, with the handler types that the
// caller names.
//
// The rule it guards: what may stand in a configuration as a type of handler is
// decided by the program's main alone, in one map that it can read.
package cmd

import (
	"io"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/cli"
)

// Main runs the command line args (without the program's name) and returns the
// exit code: 0 done, 1 failed, 2 used wrongly. authhandlers/builtin has the map of
// the handler types that come with Catflap.
func Main(args []string, stdout, stderr io.Writer, handlers authhandlers.Registry) int {
	return cli.Main(args, stdout, stderr, handlers)
}
