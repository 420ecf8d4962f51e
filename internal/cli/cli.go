// Package cli is the command line: one file a command.
//
// The rule it guards: whoever types something wrong learns what to type instead.
// Errors go to standard error as "catflap: ..." with a "hint: ..." line behind;
// mistakes in a configuration are printed as they are, each with its file and
// line. Asking for help is never an error.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// command is one command. Its run gets the arguments behind its flags.
type command struct {
	name  string
	args  string // how its arguments are written
	short string
	long  string
	// setup declares the flags and returns what runs.
	setup func(f *flag.FlagSet, e *env) func(ctx context.Context, args []string) error
}

// env is what every command gets.
type env struct {
	stdout, stderr io.Writer
	handlers       authhandlers.Registry
}

func commands() []command {
	return []command{runCommand(), checkCommand(), demoCommand(), accountsCommand(), healthCommand(), schemaCommand(), versionCommand()}
}

// usageError is a command line that can't be meant; exit code 2.
type usageError struct{ problem, hint string }

func (e *usageError) Error() string { return e.problem }

// hintedError is a failure with what to do about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// Main runs a command line and returns the exit code.
func Main(args []string, stdout, stderr io.Writer, handlers authhandlers.Registry) int {
	e := &env{stdout: stdout, stderr: stderr, handlers: handlers}
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		usage(stdout)
		return exitDone
	case "--version", "-version":
		args = []string{"version"}
	}
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return e.exit(e.call(c, args[len(words):]))
		}
	}
	return e.exit(unknownCommand(args[0]))
}

func (e *env) call(c command, args []string) error {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	run := c.setup(f, e)
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		c.help(f, e.stdout)
		return nil
	case err != nil:
		return &usageError{err.Error(), "catflap " + c.name + " --help"}
	}
	return run(context.Background(), f.Args())
}

func (c *command) help(f *flag.FlagSet, w io.Writer) {
	fmt.Fprintf(w, "usage: catflap %s %s\n\n%s\n", c.name, c.args, strings.TrimSpace(c.long))
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

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: catflap COMMAND\n\nCatflap stands before a Cheshire Cat and lets in whom your identity provider knows,\neach as themselves.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-22s %s\n", c.name, c.short)
	}
	fmt.Fprint(w, "\ncatflap COMMAND --help says more. Try catflap demo first.\n")
}

func unknownCommand(word string) error {
	hint := "catflap --help"
	for _, c := range commands() {
		if first := strings.Fields(c.name)[0]; strings.HasPrefix(first, word) || strings.HasPrefix(word, first) {
			hint = "did you mean catflap " + c.name + "?"
		}
	}
	return &usageError{fmt.Sprintf("there is no command %q", word), hint}
}

// exit prints an error and returns its code.
func (e *env) exit(err error) int {
	var problems *config.Errors
	var wrong *usageError
	var hinted *hintedError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &problems):
		fmt.Fprintln(e.stderr, strings.TrimRight(problems.Error(), "\n"))
		return exitFailed
	case errors.As(err, &wrong):
		fmt.Fprintf(e.stderr, "catflap: %s\nhint: %s\n", wrong.problem, wrong.hint)
		return exitUsage
	}
	fmt.Fprintf(e.stderr, "catflap: %s\n", err)
	if errors.As(err, &hinted) {
		fmt.Fprintf(e.stderr, "hint: %s\n", hinted.hint)
	}
	return exitFailed
}

// noArguments refuses what a command does not take.
func noArguments(command string, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{fmt.Sprintf("%s takes no argument, but %q is given", command, args[0]), "catflap " + command + " --help"}
}
