// Package cli is the command line: one file a command.
//
// The rule it guards: somebody who types something wrong learns what to type instead.
// Errors go to standard error as "catflap: ..." with a "hint: ..." line behind;
// mistakes in a configuration are printed as they are, each with its file and
// line. Asking for help is never an error. Nothing here prints a secret.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
)

// The exit codes. They are part of the command's promise: scripts look at them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// env is what every command gets.
type env struct {
	stdout, stderr io.Writer
	handlers       authhandlers.Registry
}

// commands are all commands, in the order in which the usage lists them.
func commands() []command {
	return []command{
		runCommand(), checkCommand(), demoCommand(), accountsCommand(), keyNewCommand(), keyListCommand(), keyRevokeCommand(), importCommand(), healthCommand(), schemaCommand(), versionCommand(),
	}
}

// Main runs a command line (without the program's name) and returns the exit code:
// 0 done, 1 failed, 2 used wrongly.
func Main(args []string, stdout, stderr io.Writer, handlers authhandlers.Registry) int {
	e := &env{stdout: stdout, stderr: stderr, handlers: handlers}
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help":
		usage(stdout)
		return exitDone
	case "help":
		return e.exit(e.helpOn(args[1:]))
	case "--version", "-version":
		args = []string{"version"}
	}
	for _, c := range commands() {
		if words := strings.Fields(c.name); len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return e.exit(e.call(c, args[len(words):]))
		}
	}
	return e.exit(e.halfCommand(args))
}

func (e *env) call(c command, args []string) error {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // it would print its own idea of a usage
	run := c.setup(f, e)
	operands, err := parse(f, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.help(f, e.stdout)
		return nil
	case err != nil:
		return &usageError{err.Error(), "catflap " + c.name + " --help"}
	}
	return run(context.Background(), operands)
}

// helpOn is `catflap help COMMAND`.
func (e *env) helpOn(args []string) error {
	if len(args) == 0 {
		usage(e.stdout)
		return nil
	}
	var of []command
	for _, c := range commands() {
		if words := strings.Fields(c.name); args[0] == words[0] && (len(args) == 1 || len(words) == 1 || words[1] == args[1]) {
			of = append(of, c)
		}
	}
	if len(of) == 0 {
		return unknownCommand(args[0])
	}
	for i, c := range of {
		if i > 0 {
			fmt.Fprintln(e.stdout)
		}
		if err := e.call(c, []string{"--help"}); err != nil {
			return err
		}
	}
	return nil
}

// halfCommand is about a command of two words of which only the first is right.
func (e *env) halfCommand(args []string) error {
	var of []command
	for _, c := range commands() {
		if words := strings.Fields(c.name); len(words) > 1 && args[0] == words[0] {
			of = append(of, c)
		}
	}
	if len(of) == 0 {
		return unknownCommand(args[0])
	}
	if slices.ContainsFunc(args[1:], func(a string) bool { return a == "-h" || a == "-help" || a == "--help" }) {
		return e.helpOn(args[:1])
	}
	var names []string
	for _, c := range of {
		names = append(names, "catflap "+c.name)
	}
	return &usageError{args[0] + " needs to be told what to do", strings.Join(names, ", ")}
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: catflap COMMAND\n\nCatflap stands before a Cheshire Cat and lets in those that your identity provider knows,\neach as themselves.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-22s %s\n", c.name, c.short)
	}
	fmt.Fprint(w, "\ncatflap COMMAND --help says more. Try catflap demo first.\nExit codes: 0 done, 1 failed, 2 used wrongly.\n")
}
