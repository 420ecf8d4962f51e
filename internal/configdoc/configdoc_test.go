package configdoc

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/config/value"
)

// Badge is a handler type for these tests.
type Badge struct {
	common
	// Who wears it. *Not* emphasis.
	Wearer string `yaml:"wearer" required:"true" example:"alice"`
	// The colours, by their names.
	Colours map[string][]string `yaml:"colours" enum:"red,blue"`
	// How long it holds.
	Life *value.Duration `yaml:"life" default:"24h"`
	// The keys.
	Keys []key `yaml:"keys"`
}

type common struct {
	// The title of the badge.
	Title string `yaml:"title"`
}

type key struct {
	// Where it hangs.
	Hook value.Secret `yaml:"hook" required:"true"`
}

// Mute has a field that nobody has explained.
type Mute struct {
	Silent bool `yaml:"silent"`
}

// Odd has a field that no file can hold.
type Odd struct {
	// A channel.
	Channel chan int `yaml:"channel"`
}

func (*Badge) Validate() error { return nil }
func (*Mute) Validate() error  { return nil }
func (*Odd) Validate() error   { return nil }

func TestMarkdown(t *testing.T) {
	got := string(reference(t, &Badge{}).Markdown("version: 1 # example\n"))
	for _, want := range []string{
		"```yaml\nversion: 1 # example\n```\n",
		"[`handlers`](#handlers),\n[the handler type `badge`](#handler-type-badge),\n[`permissions`](#permissions),",
		"## Handler type `badge`\n\nIt is a handler type for these tests.\n",
		"### badge: `title`\n\nText\n\nThe title of the badge.\n",
		"### badge: `wearer`\n\nText · **required** · for example `alice`\n\nWho wears it. \\*Not\\* emphasis.\n",
		"### badge: `colours`\n\nMapping of names to lists of texts · allowed: `red`, `blue`\n",
		"### badge: `life`\n\nDuration · default `24h`\n",
		"### badge: `keys[].hook`\n\nSecret: `{env: NAME}` or `{file: PATH}` · **required**\n",
		"### `cat.insecure_open_cat`\n\n`true` or `false` · default `false`\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Index(got, "## Handler type") > strings.Index(got, "## `permissions`") {
		t.Error("the handler types do not follow the handlers")
	}
}

func TestSchema(t *testing.T) {
	b, err := reference(t, &Badge{}).Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Required             []string `json:"required"`
		AdditionalProperties *bool    `json:"additionalProperties"`
		Defs                 map[string]struct {
			Required             []string                   `json:"required"`
			AdditionalProperties *bool                      `json:"additionalProperties"`
			Properties           map[string]json.RawMessage `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.Required, " "); got != "version cat handlers" {
		t.Errorf("required: %s", got)
	}
	badge := s.Defs["handler-badge"]
	if got := strings.Join(badge.Required, " "); got != "name type wearer" {
		t.Errorf("required of the handler: %s", got)
	}
	for name, strict := range map[string]*bool{"the file": s.AdditionalProperties, "the handler": badge.AdditionalProperties} {
		if strict == nil || *strict {
			t.Errorf("%s takes unknown fields", name)
		}
	}
	for _, name := range []string{"name", "alias", "type", "permissions", "title", "wearer", "colours", "life", "keys"} {
		if badge.Properties[name] == nil {
			t.Errorf("the handler lacks %s", name)
		}
	}
}

// TestSchemaOfATypeOfOnesOwn: what this build does not know is no mistake.
func TestSchemaOfATypeOfOnesOwn(t *testing.T) {
	b, err := os.ReadFile("../../config/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Properties struct {
			Handlers struct {
				Items struct {
					AdditionalProperties *bool `json:"additionalProperties"`
					Properties           map[string]struct {
						Enum  []string `json:"enum"`
						AnyOf []struct {
							Enum []string `json:"enum"`
							Type string   `json:"type"`
						} `json:"anyOf"`
					} `json:"properties"`
				} `json:"items"`
			} `json:"handlers"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	of := s.Properties.Handlers.Items.Properties["type"]
	if len(of.Enum) > 0 || len(of.AnyOf) != 2 || len(of.AnyOf[0].Enum) == 0 || of.AnyOf[1].Type != "string" {
		t.Errorf("a type of one's own is a mistake, or ours are not offered: %+v", of)
	}
	if s.Properties.Handlers.Items.AdditionalProperties != nil {
		t.Error("the fields of a type of one's own are mistakes")
	}
	if _, ok := s.Properties.Handlers.Items.Properties["alias"]; !ok {
		t.Error("a type of one's own has no alias")
	}
}

func TestTypesThatCantBeDocumented(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings config.HandlerSettings
		want     string
	}{
		{"no comment", &Mute{}, "handler type badge: configdoc.Mute.Silent has no comment"},
		{"no form", &Odd{}, "handler type badge: configdoc.Odd.Channel: a field of the type chan int can't be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New("../..", config.HandlerTypes{"badge": func() config.HandlerSettings { return c.settings }})
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func reference(t *testing.T, s config.HandlerSettings) *Reference {
	t.Helper()
	r, err := New("../..", config.HandlerTypes{"badge": func() config.HandlerSettings { return s }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
