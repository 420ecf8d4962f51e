package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/app"
)

// summarize says in words who may do what, so that a mistake which is no error can
// be seen.
func summarize(w io.Writer, c *config.Config) {
	say := func(what, format string, args ...any) {
		fmt.Fprintf(w, "  %-15s%s\n", what, fmt.Sprintf(format, args...))
	}
	say("listens at", "%s%s", c.Listen, scheme(c))
	say("for operators", "%s", c.AdminListen)
	say("the Cat", "%s, with credential: %s", strings.Join(c.Cat.Addresses(), " or "), c.Cat.Credential)
	for _, a := range c.Cat.ServiceAccounts {
		say("its account", "%s may %s", accountName(a), list(a.Permissions))
	}
	if c.Cat.Documents == "private" {
		say("documents", "private: /memory/recall needs MEMORY:READ by name")
	}
	if a := c.Cat.Attributes; a != nil {
		say("its plugins", "are told of each person: %s", strings.Join(a.Claims, ", "))
	}
	if c.SignsIn() || c.Sessions.Store == "redis" {
		say("sessions", "%s", store(c))
	}
	for _, h := range c.Handlers {
		say("handler", "%s (%s), user ids %s", h.Name, h.Type, userIDs(h))
		if keys, ok := h.Settings.(authhandlers.KeyLister); ok {
			say("", "%s", apiKeys(keys))
		}
		if h.Permissions != nil {
			say("", "may, instead of everything below: %s", list(h.Permissions))
			if len(c.Cat.ServiceAccounts) > 0 {
				say("", "%s", goesOutOn(c, h.Permissions))
			}
		}
	}
	say("everyone", "may %s", list(c.Permissions.Everyone))
	if len(c.Cat.ServiceAccounts) > 0 && len(c.Permissions.Everyone) > 0 {
		say("", "%s", goesOutOn(c, c.Permissions.Everyone))
	}
	for i, g := range c.Permissions.Grants {
		say(fmt.Sprintf("grant %d", i), "%s", condition(g))
		if len(g.Allow) > 0 {
			say("", "may %s", list(g.Allow))
		}
		if len(g.Deny) > 0 {
			say("", "may not %s, even where another grant allows it", list(g.Deny))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Permissions.Sets)) {
		say("set "+name, "is %s", list(c.Permissions.Sets[name]))
	}
	for _, p := range c.Permissions.Endpoints {
		say("endpoint", "%s needs %s", p.Match, p.Needs)
	}
	if len(c.Permissions.Public) > 0 {
		say("without a user", "%s", list(c.Permissions.Public))
	}
}

// apiKeys says how many API keys are not revoked, and as what their people are known.
func apiKeys(keys authhandlers.KeyLister) string {
	n, aliases := 0, map[string]bool{}
	_ = keys.ListKeys(func(_, alias string, _ []string) { // what is wrong with the file has been said
		n++
		if alias != "" {
			aliases[alias+":..."] = true
		}
	})
	text := fmt.Sprintf("API keys: %d, each with permissions of its own", n)
	if len(aliases) > 0 {
		text += "; some act for people with the ids " + strings.Join(slices.Sorted(maps.Keys(aliases)), ", ")
	}
	return text
}

// accountName is the account's id as the file writes it, or where it is kept.
func accountName(a config.ServiceAccount) string {
	if a.ID.Literal != "" {
		return a.ID.Literal
	}
	return a.ID.From.String()
}

// goesOutOn says as which account the Cat and its plugins see people.
func goesOutOn(c *config.Config, names []string) string {
	at, ok := app.AccountFor(c, names)
	if !ok {
		return "no account of the Cat's has as little as this"
	}
	return "seen by the Cat as account " + accountName(c.Cat.ServiceAccounts[at])
}

// store says where sessions are kept. The address holds no password.
func store(c *config.Config) string {
	if c.Sessions.Store == "redis" {
		return "in Redis at " + c.Sessions.Redis.URL
	}
	return "in this process, until it ends"
}

func scheme(c *config.Config) string {
	switch {
	case c.TLS != nil:
		return ", TLS"
	case c.PublicURL != "":
		return ", as " + c.PublicURL
	}
	return ""
}

// userIDs shows what a handler's people are called at the Cat.
func userIDs(h config.Handler) string {
	if alias := h.EffectiveAlias(); alias != "" {
		return alias + ":..."
	}
	return "bare, without a prefix"
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// condition says who a grant is for: each part must hold.
func condition(g config.Grant) string {
	var parts []string
	if len(g.From) > 0 {
		parts = append(parts, "people of "+strings.Join(g.From, " or "))
	} else {
		parts = append(parts, "people of any handler")
	}
	if len(g.Users) > 0 {
		parts = append(parts, "who are "+strings.Join(g.Users, " or "))
	}
	if len(g.Groups) > 0 {
		parts = append(parts, "in "+strings.Join(g.Groups, " or "))
	}
	for _, path := range slices.Sorted(maps.Keys(g.Claims)) {
		parts = append(parts, "with "+path+" "+strings.Join(g.Claims[path], " or "))
	}
	return strings.Join(parts, ", ")
}
