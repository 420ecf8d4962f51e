package config_test

import (
	"strings"
	"testing"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/config/value"
)

// naming is a handler type with a field that takes one name or several.
type naming struct {
	Groups value.Names `yaml:"groups" example:"[groups, roles]"`
}

func (*naming) Validate() error { return nil }

// TestNames: one name and a list of one are the same, and nothing else is taken.
func TestNames(t *testing.T) {
	k := known()
	k.Handlers["naming"] = func() config.HandlerSettings { return new(naming) }
	for _, c := range []struct{ written, want, problem string }{
		{"", "", ""},
		{"groups: a", "a", ""},
		{"groups: a.b", "a.b", ""},
		{"groups: [a]", "a", ""},
		{"groups: [a, b c]", "a\nb c", ""},
		{"groups:\n      - a\n      - b", "a\nb", ""},
		{"groups: []", "", "handlers[0].groups: is empty"},
		{"groups: [a, a]", "", `handlers[0].groups[1]: "a" is listed twice`},
		{`groups: [""]`, "", "handlers[0].groups[0]: is empty"},
		{"groups: [1]", "", "handlers[0].groups[0]: text is wanted here, not a number"},
		{"groups: [[a]]", "", "handlers[0].groups[0]: text is wanted here, not a list"},
		{"groups: {a: b}", "", "handlers[0].groups: text is wanted here, not a mapping"},
		{"groups: 7", "", "handlers[0].groups: text is wanted here, not a number"},
		{`groups: "a\nb"`, "", "handlers[0].groups: has a line end"},
		{`groups: ["a\nb"]`, "", "handlers[0].groups[0]: has a line end"},
	} {
		text := "version: 1\ncat: {url: http://127.0.0.1:1, insecure_open_cat: true}\nhandlers:\n  - name: staff\n    type: naming\n    " + c.written + "\n"
		got, err := config.Parse("f", []byte(text), "", k)
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v, want %s", c.written, err, c.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.written, err)
			continue
		}
		if names := got.Handlers[0].Settings.(*naming).Groups; string(names) != c.want || len(names.All()) != strings.Count(c.want, "\n")+min(1, len(c.want)) {
			t.Errorf("%s: %q", c.written, names)
		}
	}
}
