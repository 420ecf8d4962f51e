package permission

import (
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/proxy/cat"
)

// What somebody holds is what they are let do with their own data, and nothing else.
func TestHeldIsWhatIsDecided(t *testing.T) {
	p := policy(t, Rules{
		Everyone: []string{"base"},
		Sets:     map[string][]string{"editors": {"UPLOAD:WRITE", "MEMORY:WRITE"}},
		Grants: []Grant{
			{Groups: []string{"admins"}, Allow: []string{"admin"}},
			{Groups: []string{"editors"}, Allow: []string{"editors", "UPLOAD_WEB:WRITE"}},
			{Groups: []string{"interns"}, Deny: []string{"PLUGINS:*", "CONVERSATION:DELETE"}},
			{Groups: []string{"suspended"}, Deny: []string{"admin", "base"}},
		},
	})
	for _, c := range []struct {
		groups, own []string
		count       int
	}{
		{nil, nil, 9},
		{[]string{"admins"}, nil, 55},
		{[]string{"editors"}, nil, 11},
		{[]string{"admins", "interns"}, nil, 49},
		{[]string{"admins", "suspended"}, nil, 0},
		{[]string{"editors", "suspended"}, nil, 2},
		{[]string{"admins", "interns"}, []string{"CONVERSATION:*"}, 4},
		{[]string{"admins"}, []string{}, 0},
		{[]string{"admins"}, []string{"no such set"}, 0},
	} {
		u := person("staff", c.groups...)
		u.Permissions = c.own
		held := p.Held(u)
		if got := len(held.List()); got != c.count {
			t.Errorf("%v %v: holds %d: %v", c.groups, c.own, got, held.Names())
		}
		for _, one := range cat.Every() {
			if d := p.decide(u, cat.Route{Needs: one, Own: true}, false); d.Allow != held.Has(one) {
				t.Errorf("%v %v: %s is decided %v and held %v", c.groups, c.own, one, d.Allow, held.Has(one))
			}
		}
	}
}

func TestPossible(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules Rules
		own   [][]string
		want  []string
	}{
		{"nothing but base", Rules{Everyone: []string{"base"}}, nil, []string{"base"}},
		{"a grant", Rules{Everyone: []string{"base"}, Grants: []Grant{{Groups: []string{"g"}, Allow: []string{"UPLOAD:WRITE"}}}}, nil,
			[]string{"base", "base UPLOAD:WRITE"}},
		{"grants together", Rules{Everyone: []string{"base"}, Grants: []Grant{
			{Groups: []string{"g"}, Allow: []string{"UPLOAD:WRITE"}}, {Groups: []string{"h"}, Allow: []string{"LLM:LIST"}},
		}}, nil, []string{"base", "base UPLOAD:WRITE", "base LLM:LIST", "base UPLOAD:WRITE LLM:LIST"}},
		{"of two handlers, not together", Rules{Everyone: []string{"base"}, Grants: []Grant{
			{From: []string{"a"}, Allow: []string{"UPLOAD:WRITE"}}, {From: []string{"b"}, Allow: []string{"LLM:LIST"}},
		}}, nil, []string{"base", "base UPLOAD:WRITE", "base LLM:LIST"}},
		{"a denial", Rules{Everyone: []string{"base"}, Grants: []Grant{{Groups: []string{"g"}, Deny: []string{"MEMORY:*"}}}}, nil,
			[]string{"base", "STATUS:READ CONVERSATION:* STATIC:READ"}},
		{"a handler's own", Rules{Everyone: []string{"base"}}, [][]string{{"CONVERSATION:WRITE"}}, []string{"CONVERSATION:WRITE", "base"}},
		{"an administrator", Rules{Grants: []Grant{{Groups: []string{"g"}, Allow: []string{"admin"}}}}, nil, []string{"*"}},
	} {
		var want []cat.Permissions
		for _, text := range c.want {
			r, err := ParseRights(strings.Fields(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, r.named())
		}
		if got := policy(t, c.rules).Possible(c.own...); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
	var many []Grant
	for _, one := range cat.Every() {
		many = append(many, Grant{Groups: []string{one.String()}, Allow: []string{one.String()}})
	}
	if got := len(policy(t, Rules{Grants: many}).Possible()); got != possibleMost {
		t.Errorf("%d sets of 55 grants", got)
	}
}
