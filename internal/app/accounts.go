package app

import (
	"strings"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy/cat"
	"github.com/catflap/catflap/proxy/permission"
)

// Holdings returns the different sets of permissions that people can have by a
// configuration: each needs a service account that holds nothing else.
func Holdings(c *config.Config) ([]cat.Permissions, error) {
	policy, err := permission.New(rules(c.Permissions))
	if err != nil {
		return nil, err
	}
	var own [][]string
	for _, h := range c.Handlers {
		if h.Permissions != nil {
			own = append(own, h.Permissions)
		}
		eachKey(h, func(_ string, permissions []string) { own = append(own, permissions) })
	}
	return policy.Possible(own...), nil
}

// warnAccounts says what plugins will believe of people, and who is refused since no
// service account is theirs. The configuration has been validated.
func warnAccounts(c *config.Config) []config.Problem {
	if len(c.Cat.ServiceAccounts) == 0 {
		return []config.Problem{c.Doubt("cat.credential",
			"with the Cat's keys alone, its plugins believe that each person may do everything over HTTP, and what the base set allows over the socket",
			"write credential: minted, or name jwt_secret and service_accounts here; `catflap cat-accounts create` makes the accounts")}
	}
	holdings, err := Holdings(c)
	if err != nil {
		return nil
	}
	accounts, err := accountsWithoutIDs(c)
	if err != nil {
		return nil
	}
	warnings := warnDocuments(c, accounts)
	for _, held := range holdings {
		if missing := cat.Unfit(accounts, held, contractOf(c.Cat), c.Cat.Credential != "minted"); missing != nil {
			warnings = append(warnings, c.Doubt("cat.service_accounts",
				"no account fits people who hold "+strings.Join(held.Names(), ", ")+": they are refused what needs "+strings.Join(missing.Needs.Names(), ", "),
				"add an account that holds nothing else; `catflap cat-accounts create --config` makes what is missing"))
		}
	}
	return warnings
}

// warnDocuments finds a list of one's own documents that nobody could have.
func warnDocuments(c *config.Config, accounts []cat.Account) []config.Problem {
	if c.Cat.Documents != "private" || c.Cat.Credential != "minted" {
		return nil
	}
	missing := cat.DocumentsUnfit(accounts)
	if missing == nil {
		return nil
	}
	return []config.Problem{c.Doubt("cat.documents",
		"people can't list or delete their own documents: no account of cat.service_accounts holds "+strings.Join(missing.Needs.Names(), " and "),
		"add an account that holds them, such as one with \"*\": no person goes out on it who was not granted that")}
}

func accountsWithoutIDs(c *config.Config) ([]cat.Account, error) {
	var accounts []cat.Account
	for _, s := range c.Cat.ServiceAccounts {
		permissions, err := accountPermissions(s)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, cat.Account{Permissions: permissions})
	}
	return accounts, nil
}

// AccountFor returns the place of the service account on which people go out who hold
// these permissions and sets: the one with the most that they hold, too. ok is false
// where there is none.
func AccountFor(c *config.Config, names []string) (at int, ok bool) {
	policy, err := permission.New(permission.Rules{Sets: c.Permissions.Sets})
	if err != nil {
		return 0, false
	}
	accounts, err := accountsWithoutIDs(c)
	held := policy.Possible(names)
	if err != nil || len(held) == 0 {
		return 0, false
	}
	at, err = cat.Choose(accounts, held[0], cat.Route{})
	return at, err == nil
}
