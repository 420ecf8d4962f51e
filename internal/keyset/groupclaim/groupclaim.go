// Package groupclaim reads a person's groups or roles from claims, in the forms in which
// providers write them.
//
// The rule it guards: a form grants something only where the configuration names it. A
// text where a list is due may hold anything that somebody could choose, such as a
// comma in a display name; the operator says that it is a list.
package groupclaim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// Reader reads the groups. The zero value reads none.
type Reader struct {
	paths     []strictjson.Path
	separator string
	keys      bool
}

// Separators are what can be made of groups that are one text.
func Separators() []string { return []string{"none", "space", "comma", "whole"} }

// Objects are what can be made of groups that are an object.
func Objects() []string { return []string{"none", "keys"} }

// New makes a reader of the claims at the paths. separator is one of Separators and
// object one of Objects; "" is none.
func New(paths []string, separator, object string) (Reader, error) {
	r := Reader{separator: separator, keys: object == "keys"}
	for _, text := range paths {
		p, err := strictjson.ParsePath(text)
		if err != nil {
			return Reader{}, fmt.Errorf("%q: %w", text, err)
		}
		r.paths = append(r.paths, p)
	}
	return r, nil
}

// Paths are the claims that are read.
func (r *Reader) Paths() []strictjson.Path { return r.paths }

// Of returns the groups that the claims name, in their order; of several claims each
// group once. A claim that is not of a configured form names none.
func (r *Reader) Of(claims strictjson.Object) []string {
	if len(r.paths) == 1 { // nearly everybody's: a list is taken as it is
		v, _ := claims.At(r.paths[0])
		groups, _ := r.read(v)
		return groups
	}
	var all []string
	for _, p := range r.paths {
		v, _ := claims.At(p)
		groups, _ := r.read(v)
		for _, g := range groups {
			if !slices.Contains(all, g) {
				all = append(all, g)
			}
		}
	}
	return all
}

// OddShape names what a claim is that can't be read, and is "" for one that can.
func (r *Reader) OddShape(v strictjson.Value) string {
	if _, ok := r.read(v); ok {
		return ""
	}
	_, text := v.Str()
	_, array := v.Array()
	_, object := v.Object()
	switch {
	case text:
		return "one text; groups_separator can take it apart"
	case array:
		return "a list with something else than texts"
	case object:
		return "an object; a path such as realm_access.roles names what is inside, and groups_object: keys takes its names"
	}
	return "neither list nor text"
}

// read returns the groups of one claim, and whether it has a form that can be read.
func (r *Reader) read(v strictjson.Value) (groups []string, ok bool) {
	if list, ok := v.Strings(); ok {
		return list, true
	}
	if text, ok := v.Str(); ok {
		return r.split(text)
	}
	if o, ok := v.Object(); ok && r.keys {
		return names(o), true
	}
	return nil, false
}

func (r *Reader) split(text string) (groups []string, ok bool) {
	switch r.separator {
	case "space":
		return strings.Fields(text), true
	case "comma":
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				groups = append(groups, part)
			}
		}
		return groups, true
	case "whole":
		if text != "" {
			groups = []string{text}
		}
		return groups, true
	}
	return nil, false
}

// names are the members of an object that say something: Zitadel writes the
// organisations of a role behind it. Behind what somebody does not have, others write
// false, null or nothing at all.
func names(o strictjson.Object) (groups []string) {
	for _, m := range o {
		inner, isObject := m.Value.Object()
		list, isList := m.Value.Array()
		text := m.Value.Text()
		switch {
		case m.Name == "", text == "null", text == "false", text == `""`, isObject && len(inner) == 0, isList && len(list) == 0:
		case m.Value.IsNumber():
		default:
			groups = append(groups, m.Name)
		}
	}
	return groups
}
