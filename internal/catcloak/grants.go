package catcloak

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/catflap/catflap/proxy/cat"
)

// grant is what one role may.
type grant struct {
	role  string
	allow []string
}

// grants makes a grant of each role.
func (c *conversion) grants() []grant {
	var all []grant
	for _, role := range slices.Sorted(maps.Keys(c.s.permissions)) {
		held := c.heldBy(role, c.s.permissions[role])
		switch {
		case role == "":
			c.note("a role without a name is left out")
		case held == 0:
			c.note("the role %q grants nothing, and is left out", role)
		default:
			all = append(all, grant{role, c.allow(role, held)})
		}
	}
	return all
}

// heldBy reads what a role may. What the Cat does not know grants nothing there, either.
func (c *conversion) heldBy(role string, value json.RawMessage) (held cat.Permissions) {
	var given map[string]json.RawMessage
	if json.Unmarshal(value, &given) != nil {
		c.note("permission_mapping of %q is no object, and is left out", role)
		return 0
	}
	for _, resource := range slices.Sorted(maps.Keys(given)) {
		var list []string
		if json.Unmarshal(given[resource], &list) != nil {
			c.note("permission_mapping of %q: %q has no list of texts, and is left out", role, resource)
			continue
		}
		for _, action := range list {
			p, err := cat.ParsePermissions(resource + ":" + action)
			if err != nil || action == "*" || !cat.All.Covers(p) {
				c.note("permission_mapping of %q: the Cat has no permission %q, which is left out", role, resource+":"+action)
				continue
			}
			held |= p
		}
	}
	return held
}

// allow writes permissions as a grant has them. Where they hold all that the Cat gives to
// somebody who may chat, memories are one's own; without that they are as the Cat has them.
func (c *conversion) allow(role string, held cat.Permissions) []string {
	if held.Covers(cat.All) {
		c.note("%q had every permission of the Cat's, and becomes admin: its panel and its plugins' endpoints, too", role)
		return []string{"admin"}
	}
	if !has(held, "CONVERSATION:WRITE") {
		c.note("%q alone may not chat, as before: that needs CONVERSATION:WRITE", role)
	}
	if has(held, "UPLOAD:WRITE") {
		c.note(`%q: UPLOAD:WRITE is for files. Uploads by address need "UPLOAD_WEB:WRITE" too: the Cat then fetches whatever address somebody names`, role)
	}
	if held.Covers(cat.Base) {
		c.note(`%q: base shows people their own memories; at the Cat, MEMORY:READ shows everybody's. Add "MEMORY:READ" by name where that is meant`, role)
		return append([]string{"base"}, (held &^ cat.Base).Names()...)
	}
	if has(held, "MEMORY:READ") {
		c.note("%q: MEMORY:READ by name shows everybody's memories, as it does at the Cat", role)
	}
	return held.Names()
}

func has(held cat.Permissions, name string) bool {
	p, err := cat.ParsePermissions(name)
	return err == nil && held.Covers(p)
}

// flow writes a list on one line.
func flow(list []string) string {
	quoted := make([]string, len(list))
	for i, text := range list {
		quoted[i] = quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
