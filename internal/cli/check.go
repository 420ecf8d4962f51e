package cli

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/app"
)

func checkCommand() command {
	return command{
		name: "check", args: "FILE [--resolved]", short: "say what is wrong with a configuration file",
		long: `
Reads the file as run would, and verifies that the files and variables which it
names exist and can be used. It asks no network. Everything that is wrong is
printed at once; warnings are no errors. Exit code 0: run would start with it.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			resolved := f.Bool("resolved", false, "print the whole configuration, defaults included, secrets by their names")
			return func(_ context.Context, args []string) error {
				// The flag may stand behind the file.
				if len(args) > 1 && strings.TrimLeft(args[1], "-") == "resolved" {
					*resolved, args = true, append(args[:1:1], args[2:]...)
				}
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
				summary(e, c)
				return nil
			}
		},
	}
}

// summary says in words who may do what, so that a mistake which is no error can
// be seen.
func summary(e *env, c *config.Config) {
	w := e.stdout
	fmt.Fprintf(w, "  people reach   %s\n  the Cat is at  %s, with credential: %s\n", c.Listen, c.Cat.URL, c.Cat.Credential)
	for _, h := range c.Handlers {
		alias := h.EffectiveAlias()
		if alias != "" {
			alias += ":"
		}
		fmt.Fprintf(w, "  handler        %s (%s), user ids %s...\n", h.Name, h.Type, alias)
		if h.Permissions != nil {
			fmt.Fprintf(w, "                 may, instead of everything below: %s\n", list(h.Permissions))
		}
	}
	fmt.Fprintf(w, "  everyone may   %s\n", list(c.Permissions.Everyone))
	for i, g := range c.Permissions.Grants {
		fmt.Fprintf(w, "  grant %-8d %s\n", i, condition(g))
		if len(g.Allow) > 0 {
			fmt.Fprintf(w, "                 may %s\n", list(g.Allow))
		}
		if len(g.Deny) > 0 {
			fmt.Fprintf(w, "                 may not %s\n", list(g.Deny))
		}
	}
	if len(c.Permissions.Public) > 0 {
		fmt.Fprintf(w, "  anybody may    %s\n", list(c.Permissions.Public))
	}
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func condition(g config.Grant) string {
	var parts []string
	if len(g.From) > 0 {
		parts = append(parts, "from "+strings.Join(g.From, " or "))
	}
	if len(g.Users) > 0 {
		parts = append(parts, strings.Join(g.Users, " or "))
	}
	if len(g.Groups) > 0 {
		parts = append(parts, "in "+strings.Join(g.Groups, " or "))
	}
	for path, values := range g.Claims {
		parts = append(parts, "with "+path+" "+strings.Join(values, " or "))
	}
	return strings.Join(parts, ", ")
}
