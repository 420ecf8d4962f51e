// Command catflap is an authenticating reverse proxy for a Cheshire Cat.
//
// This file is also the template for a build with handlers of one's own: copy it
// into a module that requires github.com/catflap/catflap, and add them to the map
// (docs/writing-an-authhandler.md).
package main

import (
	"os"

	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/cmd"
)

func main() {
	handlers := builtin.Registry()
	os.Exit(cmd.Main(os.Args[1:], os.Stdout, os.Stderr, handlers))
}
