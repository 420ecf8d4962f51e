package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/catflap/catflap/config"
)

// listed is a handler type with API keys: their aliases stand in the file itself.
type listed struct {
	Aliases []string `yaml:"aliases"`
}

func (*listed) Validate() error        { return nil }
func (*listed) OnlyOne() bool          { return true }
func (*listed) NeedsTickets() bool     { return true }
func (*listed) OwnPermissions() string { return "each key has its own" }
func (l *listed) InspectDoubts() error { return &misplaced{"aliases", "of no use", "write more"} }
func (l *listed) ListKeys(each func(id, alias string, permissions []string)) error {
	for _, a := range l.Aliases {
		each("k1", a, nil)
	}
	return nil
}

func parseListed(handlers string) (*config.Config, error) {
	k := known()
	k.Handlers["listed"] = func() config.HandlerSettings { return new(listed) }
	return config.Parse("catflap.yaml", []byte(valid+handlers), "", k)
}

// TestHandlersWithKeys has what a type demands that has keys of its own.
func TestHandlersWithKeys(t *testing.T) {
	t.Setenv("CAT_KEY", "k")
	t.Setenv("CAT_KEY_WS", "k")
	for _, c := range []struct{ name, handlers, want string }{
		{"one", "  - {name: bots, type: listed}\n", ""},
		{"permissions of the handler", "  - {name: bots, type: listed, permissions: [base]}\n", "handlers[1].permissions: does not belong here: each key has its own"},
		{"no permissions", "  - {name: bots, type: listed, permissions: []}\n", "handlers[1].permissions: does not belong here"},
		{"two", "  - {name: bots, type: listed}\n  - {name: more, type: listed}\n", "handlers[2].type: no credential ever reaches a second handler of the type listed, behind handlers[1]"},
		{"an alias of their own", "  - {name: bots, type: listed, aliases: [shop]}\n", ""},
		{"another handler's alias", "  - {name: bots, type: listed, aliases: [staff]}\n", `handlers[1]: the API key k1 acts for people with the alias "staff", which is that of handlers[0]`},
		{"its own handler's alias", "  - {name: bots, type: listed, aliases: ['', bots]}\n", `the alias "bots", which is that of handlers[1]`},
	} {
		l, err := parseListed(c.handlers)
		var warnings []config.Problem
		if err == nil {
			warnings, err = l.Inspect()
		}
		if _, ok := errors.AsType[*config.Errors](err); ok != (c.want != "") || ok && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err == nil && (len(warnings) != 1 || !strings.Contains(warnings[0].String(), "handlers[1].aliases: of no use") || !l.KeepsSessions() || l.SignsIn()) {
			t.Errorf("%s: %v", c.name, warnings)
		}
	}
	if c := parse(t, valid); c.KeepsSessions() {
		t.Error("there is nothing to keep")
	}
}
