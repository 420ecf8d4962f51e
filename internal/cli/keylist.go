package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/catflap/catflap/internal/keyfile"
)

func keyListCommand() command {
	return command{
		name: "key list", args: "--file FILE", short: "list API keys, without the keys themselves",
		long: `
Lists the API keys of a file: id, owner, what each may do, the alias it acts for, when it
was made, when it ends, when it was used last, and whether it is accepted. A running
Catflap notes the last use beside the file, at most once a minute, where it may
write there.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			file := f.String("file", "", "the `FILE` of keys")
			return func(_ context.Context, args []string) error {
				if err := noArguments("key list", args); err != nil {
					return err
				}
				if *file == "" {
					return &usageError{"key list needs --file", "catflap key list --file keys.yaml"}
				}
				keys, err := readKeys(*file)
				if err != nil {
					return err
				}
				uses, err := keyfile.ReadUses(*file)
				if err != nil {
					fmt.Fprintf(e.stderr, "when keys were used last can't be read: %s\n", err)
				}
				return printKeys(e, keys, uses, time.Now())
			}
		},
	}
}

// readKeys reads a file that must be there.
func readKeys(file string) (*keyfile.File, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, &hintedError{fmt.Errorf("%s is not there, so that there are no keys", file), keyNewUsage + " makes the file"}
	}
	keys, err := keyfile.Read(file)
	if err != nil {
		return nil, &hintedError{err, "mend the file, or put the last good one back; a running Catflap still has the keys of before"}
	}
	return keys, nil
}

func printKeys(e *env, keys *keyfile.File, uses keyfile.Uses, now time.Time) error {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tOWNER\tMAY\tACTS FOR\tFROM\tCREATED\tENDS\tLAST USED\tSTATE")
	for _, k := range keys.Keys {
		state := "good"
		switch {
		case !k.Revoked.IsZero():
			state = "revoked " + moment(k.Revoked)
		case !k.Expires.IsZero() && !now.Before(k.Expires):
			state = "expired"
		}
		var from []string
		for _, p := range k.From {
			from = append(from, p.String())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Owner, orNone(strings.Join(k.Permissions, ",")), orNone(k.ActsFor), orNone(strings.Join(from, ",")),
			moment(k.Created), moment(k.Expires), moment(uses[k.ID]), state)
	}
	return w.Flush()
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
