package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catflap/catflap/internal/keyfile"
	"github.com/catflap/catflap/proxy/cat"
)

// keyLife is how long a key lives whose end nobody has said.
const keyLife = "365d"

func keyNewCommand() command {
	return command{
		name: "key new", args: "--file FILE --owner NAME [--permissions LIST] [--expires WHEN] [--from LIST] [--acts-for[=ALIAS]]",
		short: "make an API key for a script or a bot",
		long: `
Makes an API key for the handler type apikey, and prints it, alone, to standard
output: KEY=$(catflap key new ...) works. It is shown this once. The file keeps a
hash of it, and is made with mode 0600 if it is not there. A running Catflap takes
the key within a second or two.

All keys of one owner are one person at the Cat. With --acts-for the key is a
server's that speaks for many people: it names each in the header ` + cat.UserIDHeader + `, and they
are ALIAS:<that value> at the Cat. Without =ALIAS the owner's name is the alias.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			var k newKey
			f.StringVar(&k.file, "file", "", "the `FILE` of keys, which the configuration names in keys_file")
			f.StringVar(&k.owner, "owner", "", "whose key it is: the `NAME` of the script, bot or person")
			f.StringVar(&k.permissions, "permissions", "base", "all that the key may do: a `LIST` with commas, such as base,MEMORY:READ")
			f.StringVar(&k.expires, "expires", keyLife, "`WHEN` it ends: after 90d or 12h, at 2027-01-31, or never")
			f.StringVar(&k.from, "from", "", "the addresses and networks from which it is accepted: a `LIST` with commas; empty: any")
			f.Var(&k.actsFor, "acts-for", "the key acts for many people, whose ids begin with `ALIAS`")
			return func(_ context.Context, args []string) error {
				if k.actsFor.given && k.actsFor.alias == "" && len(args) == 1 {
					k.actsFor.alias, args = args[0], nil
				}
				if err := noArguments("key new", args); err != nil {
					return err
				}
				return k.make(e, time.Now())
			}
		},
	}
}

// newKey is what a command line says of a key.
type newKey struct {
	file, owner, permissions, expires, from string
	actsFor                                 optional
}

// optional is a flag whose value may be left out.
type optional struct {
	given bool
	alias string
}

func (o *optional) String() string { return o.alias }

// IsBoolFlag has package flag take --acts-for alone.
func (o *optional) IsBoolFlag() bool { return true }

func (o *optional) Set(s string) error {
	o.given, o.alias = s != "false", s
	if s == "true" || s == "false" {
		o.alias = ""
	}
	return nil
}

const keyNewUsage = "catflap key new --file keys.yaml --owner NAME"

// make writes the key's line into the file, and prints the key.
func (n *newKey) make(e *env, now time.Time) error {
	entry, err := n.entry(now)
	if err != nil {
		return err
	}
	key := keyfile.NewKey()
	err = keyfile.Update(n.file, func(f *keyfile.File) error {
		for f.Find(key.ID) != nil {
			key = keyfile.NewKey()
		}
		if entry.ActsFor != "" && slices.ContainsFunc(f.Keys, func(o keyfile.Entry) bool { return o.ActsFor == entry.ActsFor && o.Owner != entry.Owner }) {
			return fmt.Errorf("the alias %s is that of another owner's people", entry.ActsFor)
		}
		entry.ID, entry.Hash = key.ID, key.Hash
		f.Keys = append(f.Keys, entry)
		return nil
	})
	if err != nil {
		return &hintedError{err, "nothing was changed; see catflap key list --file " + n.file}
	}
	if _, err := fmt.Fprintln(e.stdout, key.Text); err != nil {
		return &hintedError{errors.New("the key could not be printed, and stands nowhere else"), "catflap key revoke --file " + n.file + " " + key.ID}
	}
	n.explain(e, &entry)
	return nil
}

func (n *newKey) explain(e *env, k *keyfile.Entry) {
	fmt.Fprintf(e.stderr, "key %s of %s may %s; it ends %s\n", k.ID, k.Owner, strings.Join(k.Permissions, ", "), moment(k.Expires))
	if k.ActsFor != "" {
		fmt.Fprintf(e.stderr, "it acts for others: %s: NAME is %s:NAME at the Cat; no handler may have the alias %s (catflap check says so)\n", cat.UserIDHeader, k.ActsFor, k.ActsFor)
	}
	for _, p := range k.Permissions {
		if setName.MatchString(p) && !slices.Contains(plainWords[:], p) {
			fmt.Fprintf(e.stderr, "%s is a set: without one in permissions.sets the key may do nothing (catflap check says so)\n", p)
		}
	}
	fmt.Fprintln(e.stderr, "the key itself is shown this once")
}

// entry reads the command line.
func (n *newKey) entry(now time.Time) (k keyfile.Entry, err error) {
	k = keyfile.Entry{Owner: n.owner, Created: now}
	switch {
	case n.file == "":
		return k, &usageError{"key new needs --file", keyNewUsage}
	case n.owner == "":
		return k, &usageError{"key new needs --owner", keyNewUsage}
	}
	if err := keyfile.CheckOwner(n.owner); err != nil {
		return k, &usageError{"--owner: " + err.Error(), keyNewUsage}
	}
	if k.Permissions, err = permissionList(n.permissions); err != nil {
		return k, err
	}
	if k.Expires, err = readEnd(n.expires, now); err != nil {
		return k, err
	}
	for _, text := range commas(n.from) {
		network, err := keyfile.ParseNetwork(text)
		if err != nil {
			return k, &usageError{fmt.Sprintf("--from: %q is %s", text, err), "--from 192.0.2.7,10.0.0.0/8"}
		}
		k.From = append(k.From, network)
	}
	slices.SortFunc(k.From, netip.Prefix.Compare)
	k.From = slices.Compact(k.From)
	if !n.actsFor.given {
		return k, nil
	}
	k.ActsFor = n.actsFor.alias
	if k.ActsFor == "" {
		k.ActsFor = n.owner
	}
	if err := keyfile.CheckAlias(k.ActsFor); err != nil {
		return k, &usageError{fmt.Sprintf("--acts-for: %q is %s", k.ActsFor, err), "--acts-for=shop"}
	}
	return k, nil
}

// plainWords are the names of permissions that are no sets.
var plainWords = [...]string{"base", "admin"}

// setName is the form of the name of a set of permissions.
var setName = regexp.MustCompile(`\A[a-z0-9][a-z0-9_-]{0,62}\z`)

// permissionList reads names with commas. Whether there is a set of a name, only the
// configuration knows.
func permissionList(text string) ([]string, error) {
	const hint = "such as base, admin, MEMORY:READ, CONVERSATION:*, or the name of a set of permissions.sets"
	names := commas(text)
	if len(names) == 0 {
		return nil, &usageError{"--permissions is empty, so that the key could do nothing", hint}
	}
	for _, name := range names {
		if _, err := cat.ParsePermissions(name); err != nil && !setName.MatchString(name) {
			return nil, &usageError{fmt.Sprintf("--permissions: %q is no permission", name), hint}
		}
	}
	return names, nil
}

func commas(text string) (l []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(l, part) {
			l = append(l, part)
		}
	}
	return l
}

// readEnd reads when a key ends; zero: never.
func readEnd(text string, now time.Time) (time.Time, error) {
	wrong := &usageError{fmt.Sprintf("--expires: %q is no time to come", text), "--expires 90d, 12h, 2027-01-31, 2027-01-31T12:00:00Z or never"}
	if text == "never" {
		return time.Time{}, nil
	}
	end, err := time.Parse(time.RFC3339, text)
	if err != nil {
		end, err = time.Parse(time.DateOnly, text)
	}
	if err != nil {
		life, err := readLife(text)
		if err != nil {
			return time.Time{}, wrong
		}
		end = now.Add(life)
	}
	if end = end.UTC().Truncate(time.Second); !end.After(now) || end.Year() > 9998 {
		return time.Time{}, wrong
	}
	return end, nil
}

// readLife is time.ParseDuration that knows days, too.
func readLife(text string) (time.Duration, error) {
	digits, ok := strings.CutSuffix(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	days, err := strconv.Atoi(digits)
	if err != nil || days < 1 || days > 36500 {
		return 0, errors.New("no number of days")
	}
	return time.Duration(days) * 24 * time.Hour, nil
}

// moment writes a time for people.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
