package cli

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/app"
	"github.com/catflap/catflap/proxy/cat"
)

// accountKind is one account that a Cat behind minted tokens needs.
type accountKind struct {
	flag, name  string
	purpose     string
	permissions []string
}

// accountKinds are those that most configurations need.
var accountKinds = [3]accountKind{
	{flag: "chat", purpose: "may chat", permissions: []string{"STATUS:READ", "STATIC:READ", "CONVERSATION:*"}},
	{flag: "reader", purpose: "may also read memories", permissions: []string{"STATUS:READ", "STATIC:READ", "CONVERSATION:*", "MEMORY:READ"}},
	{flag: "admin", purpose: "may do everything", permissions: []string{"*"}},
}

// instead says how to keep away from a user that has the kind's name.
func (k accountKind) instead() string {
	if k.flag == "config" {
		return ""
	}
	return "name another with --" + k.flag + ", or "
}

// kindsMost bounds the accounts that are made for one configuration.
const kindsMost = 16

// withPolicy adds an account for each set of permissions that people can have by the
// configuration, if no other is exactly that. Its name follows from its permissions,
// so that the order of the rules does not matter.
func withPolicy(kinds []accountKind, c *config.Config) ([]accountKind, error) {
	holdings, err := app.Holdings(c)
	if err != nil {
		return nil, err
	}
	for _, held := range holdings {
		held &= cat.All
		k := accountKind{flag: "config", purpose: "is for people with just that", permissions: held.Names()}
		k.name = fmt.Sprintf("catflap-service-%x", sha256.Sum256([]byte(strings.Join(k.permissions, " "))))[:len("catflap-service-")+8]
		same := func(o accountKind) bool { set, err := o.set(); return err == nil && set == held }
		if held != 0 && len(kinds) < kindsMost && !slices.ContainsFunc(kinds, same) {
			kinds = append(kinds, k)
		}
	}
	return kinds, nil
}

// set is the kind's permissions as the Cat counts them.
func (k accountKind) set() (cat.Permissions, error) {
	var s cat.Permissions
	for _, name := range k.permissions {
		p, err := cat.ParsePermissions(name)
		if err != nil {
			return 0, err
		}
		s |= p
	}
	return s, nil
}

// createAccounts makes what is missing, and prints lines only when all are there.
func createAccounts(ctx context.Context, e *env, a *cat.Accounts, kinds []accountKind) error {
	users, err := a.List(ctx)
	if err != nil {
		return &hintedError{err, "is the Cat running there, and is this its HTTP key?"}
	}
	// Everything that can be wrong with what exists is said before anything is made.
	for i, k := range kinds {
		if slices.ContainsFunc(kinds[:i], func(o accountKind) bool { return o.name == k.name }) {
			return &usageError{fmt.Sprintf("two accounts can't both be named %q", k.name), "--chat, --reader and --admin take three names"}
		}
		if _, err := existing(users, k); err != nil {
			return &hintedError{err, k.instead() + "delete that user at the Cat"}
		}
	}
	var lines strings.Builder
	lines.WriteString("# under cat: in the configuration\n  credential: minted\n")
	lines.WriteString("  jwt_secret: {env: CCAT_JWT_SECRET}   # the Cat's own\n  service_accounts:                    # of those with no more rights than the person, the one with most\n")
	for _, k := range kinds {
		id, err := ensureAccount(ctx, e, a, users, k)
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "    - id: %s   # %s %s\n      permissions: [\"%s\"]\n", id, k.name, k.purpose, strings.Join(k.permissions, `", "`))
	}
	_, err = fmt.Fprint(e.stdout, lines.String())
	return err
}

func ensureAccount(ctx context.Context, e *env, a *cat.Accounts, users []cat.User, k accountKind) (id string, err error) {
	if id, err = existing(users, k); err != nil {
		return "", err
	}
	if id != "" {
		fmt.Fprintf(e.stderr, "%s: is there already (%s)\n", k.name, id)
		return id, nil
	}
	set, err := k.set()
	if err != nil {
		return "", err
	}
	u, err := a.Create(ctx, k.name, set)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(e.stderr, "%s: created (%s)\n", k.name, u.ID)
	return u.ID, nil
}

// existing returns the id of the account that is there already, if it is. One with
// other permissions is somebody else's, and is never changed.
func existing(users []cat.User, k accountKind) (string, error) {
	i := slices.IndexFunc(users, func(u cat.User) bool { return u.Username == k.name })
	if i < 0 {
		return "", nil
	}
	set, err := k.set()
	if err != nil {
		return "", err
	}
	if !maps.EqualFunc(withoutEmpty(users[i].Permissions), set.ByResource(), sameActions) {
		return "", fmt.Errorf("the Cat has a user %s with other permissions", k.name)
	}
	return users[i].ID, nil
}

func withoutEmpty(m map[string][]string) map[string][]string {
	kept := map[string][]string{}
	for resource, actions := range m {
		if len(actions) > 0 {
			kept[resource] = actions
		}
	}
	return kept
}

func sameActions(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
