package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/catflap/catflap/internal/app"
	"github.com/catflap/catflap/proxy/cat"
)

// accountKinds are the accounts that a Cat behind minted tokens needs, the least
// first.
var accountKinds = [...]struct {
	name        string
	permissions []string
}{
	{"catflap-chat", []string{"STATUS:READ", "CONVERSATION:*", "STATIC:READ"}},
	{"catflap-reader", []string{"STATUS:READ", "CONVERSATION:*", "STATIC:READ", "MEMORY:READ", "MEMORY:LIST"}},
	{"catflap-admin", []string{"*"}},
}

func accountsCommand() command {
	return command{
		name: "cat-accounts create", args: "(--config FILE | --cat-url URL) [--api-key-env NAME]",
		short: "make the Cat's service accounts for credential: minted",
		long: `
Makes three users at the Cat, through its own API and with its HTTP key, and prints
the lines for the configuration: one that may chat, one that may also read
memories, and one that may do everything. Accounts that exist already with the
same permissions are used again. Their passwords are random and told to nobody.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			file := f.String("config", "", "take the Cat's address, and its key if there is one, from this `FILE`")
			at := f.String("cat-url", "", "the Cat's `URL`, such as http://127.0.0.1:1865")
			keyEnv := f.String("api-key-env", "CCAT_API_KEY", "the environment variable `NAME` that holds the Cat's HTTP key")
			return func(ctx context.Context, args []string) error {
				if err := noArguments("cat-accounts create", args); err != nil {
					return err
				}
				a, err := accountsAt(e, *file, *at, *keyEnv)
				if err != nil {
					return err
				}
				return createAccounts(ctx, e, a)
			}
		},
	}
}

// accountsAt finds the Cat and its key.
func accountsAt(e *env, file, at, keyEnv string) (*cat.Accounts, error) {
	key := os.Getenv(keyEnv)
	switch {
	case (file == "") == (at == ""):
		return nil, &usageError{"cat-accounts create needs either --config or --cat-url", "catflap cat-accounts create --config catflap.yaml"}
	case file != "":
		c, _, err := app.Load(file, e.handlers)
		if err != nil {
			return nil, err
		}
		at = c.Cat.URL
		if !c.Cat.APIKey.IsZero() {
			secret, err := c.Cat.APIKey.Read()
			if err != nil {
				return nil, err
			}
			key = string(secret)
		}
	}
	if key == "" {
		return nil, &hintedError{errors.New("the Cat's HTTP key is not known"), "set the variable " + keyEnv + " to the Cat's own CCAT_API_KEY"}
	}
	base, err := url.Parse(at)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, &usageError{"--cat-url is no address of a Cat", "--cat-url http://127.0.0.1:1865"}
	}
	return &cat.Accounts{Base: base, HTTP: &http.Client{Timeout: 30 * time.Second}, Credentials: cat.NewKeys(key, "")}, nil
}

func createAccounts(ctx context.Context, e *env, a *cat.Accounts) error {
	users, err := a.List(ctx)
	if err != nil {
		return &hintedError{err, "is the Cat running, and is this its CCAT_API_KEY?"}
	}
	fmt.Fprintln(e.stdout, "# under cat: in the configuration")
	fmt.Fprintln(e.stdout, "credential: minted")
	fmt.Fprintln(e.stdout, "jwt_secret: {env: CCAT_JWT_SECRET}   # the Cat's own")
	fmt.Fprintln(e.stdout, "service_accounts:")
	for _, kind := range accountKinds {
		var set cat.Permissions
		for _, name := range kind.permissions {
			p, err := cat.ParsePermissions(name)
			if err != nil {
				return err
			}
			set |= p
		}
		id, err := ensureAccount(ctx, e, a, users, kind.name, set)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "  - id: %s   # %s\n    permissions: [%s]\n", id, kind.name, quoted(kind.permissions))
	}
	return nil
}

func ensureAccount(ctx context.Context, e *env, a *cat.Accounts, users []cat.User, name string, set cat.Permissions) (string, error) {
	i := slices.IndexFunc(users, func(u cat.User) bool { return u.Username == name })
	if i < 0 {
		u, err := a.Create(ctx, name, set)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(e.stderr, "%s: created\n", name)
		return u.ID, nil
	}
	if !maps.EqualFunc(withoutEmpty(users[i].Permissions), set.ByResource(), sameActions) {
		return "", &hintedError{
			fmt.Errorf("the Cat has a user %s with other permissions", name),
			"rename or delete it at the Cat, or write its id into the configuration with the permissions that it has",
		}
	}
	fmt.Fprintf(e.stderr, "%s: exists already\n", name)
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

func quoted(names []string) string {
	text := ""
	for i, n := range names {
		if i > 0 {
			text += ", "
		}
		text += `"` + n + `"`
	}
	return text
}
