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
	var accounts []cat.Account
	for _, s := range c.Cat.ServiceAccounts {
		permissions, err := accountPermissions(s)
		if err != nil {
			return nil
		}
		accounts = append(accounts, cat.Account{Permissions: permissions})
	}
	var warnings []config.Problem
	for _, held := range holdings {
		if missing := cat.Unfit(accounts, held, cat.V1(), c.Cat.Credential != "minted"); missing != nil {
			warnings = append(warnings, c.Doubt("cat.service_accounts",
				"no account fits people who hold "+strings.Join(held.Names(), ", ")+": they are refused what needs "+strings.Join(missing.Needs.Names(), ", "),
				"add an account that holds nothing else; `catflap cat-accounts create --config` makes what is missing"))
		}
	}
	return warnings
}
