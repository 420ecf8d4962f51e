// Command catflap-teamtoken is Catflap with a handler of one's own: everything
// that catflap does, and the handler type teamtoken as well.
package main

import (
	"os"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/cmd"

	"example.com/catflap-teamtoken/teamtoken"
)

func main() {
	handlers := builtin.Registry()
	handlers["teamtoken"] = func() authhandlers.Config { return &teamtoken.Config{} }
	os.Exit(cmd.Main(os.Args[1:], os.Stdout, os.Stderr, handlers))
}
