package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/catflap/catflap/internal/keyfile"
)

const keyRevokeUsage = "catflap key revoke --file keys.yaml ID"

func keyRevokeCommand() command {
	return command{
		name: "key revoke", args: "--file FILE ID...", short: "have API keys accepted no more",
		long: `
Marks API keys as revoked. A running Catflap refuses them within a second or two, and
closes their WebSockets. Their lines stay in the file, so that the log can say who
still sends one. In the place of an id the key itself may be given; it is not shown.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			file := f.String("file", "", "the `FILE` of keys")
			return func(_ context.Context, args []string) error {
				switch {
				case *file == "":
					return &usageError{"key revoke needs --file", keyRevokeUsage}
				case len(args) == 0:
					return &usageError{"key revoke needs the id of a key", keyRevokeUsage}
				}
				return revokeKeys(e, *file, args, time.Now())
			}
		},
	}
}

// revokeKeys revokes all of the keys, or none.
func revokeKeys(e *env, file string, names []string, now time.Time) error {
	if _, err := readKeys(file); err != nil {
		return err
	}
	var said []string
	err := keyfile.Update(file, func(f *keyfile.File) error {
		for _, name := range names {
			id, err := keyNamed(name)
			if err != nil {
				return err
			}
			k := f.Find(id)
			switch {
			case k == nil:
				return fmt.Errorf("%s has no key with the id %s", file, id)
			case !k.Revoked.IsZero():
				said = append(said, fmt.Sprintf("key %s of %s was revoked already, at %s", k.ID, k.Owner, moment(k.Revoked)))
			default:
				k.Revoked = now
				said = append(said, fmt.Sprintf("key %s of %s is revoked", k.ID, k.Owner))
			}
		}
		return nil
	})
	if err != nil {
		return &hintedError{err, "nothing was changed; catflap key list --file " + file + " shows the ids"}
	}
	fmt.Fprintln(e.stderr, strings.Join(said, "\n"))
	return nil
}

// keyNamed returns the id that an argument means. What is no id may be a secret, and is
// not repeated.
func keyNamed(arg string) (string, error) {
	if keyfile.IsID(arg) {
		return arg, nil
	}
	id, err := keyfile.IDOf(arg)
	if err != nil {
		return "", errors.New("what is given is neither the id of a key nor a key")
	}
	return id, nil
}
