package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

// command is one command.
type command struct {
	name  string // one word or two
	args  string // how its arguments are written
	short string // for the list of all commands
	long  string // for its own help
	// setup declares the flags and returns what runs, with the arguments that are no
	// flags.
	setup func(f *flag.FlagSet, e *env) func(ctx context.Context, args []string) error
}

// parse reads flags wherever they stand: before, between or behind the other
// arguments, which it returns. What follows -- is no flag.
func parse(f *flag.FlagSet, args []string) (operands []string, err error) {
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			return operands, nil
		}
		if read := len(args) - f.NArg(); read > 0 && args[read-1] == "--" {
			return append(operands, f.Args()...), nil
		}
		operands, args = append(operands, f.Arg(0)), f.Args()[1:]
	}
}

// noArguments refuses what a command does not take.
func noArguments(command string, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{fmt.Sprintf("%s takes no argument, but %q is given", command, args[0]), "catflap " + command + " --help"}
}

func (c *command) help(f *flag.FlagSet, w io.Writer) {
	fmt.Fprintf(w, "usage: %s\n\n%s\n", strings.TrimSpace("catflap "+c.name+" "+c.args), strings.TrimSpace(c.long))
	first := true
	f.VisitAll(func(o *flag.Flag) {
		if first {
			fmt.Fprintln(w)
			first = false
		}
		name, text := flag.UnquoteUsage(o)
		line := "  --" + o.Name
		if name != "" {
			line += " " + name
		}
		if o.DefValue != "" && o.DefValue != "false" {
			text += " (default " + o.DefValue + ")"
		}
		fmt.Fprintf(w, "%s\n        %s\n", line, text)
	})
}
