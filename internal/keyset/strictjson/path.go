package strictjson

import (
	"errors"
	"strings"
)

// Path names a member, perhaps inside of others: realm_access.roles. The zero
// Path names none.
//
// A member of the outermost object whose name is the whole path wins over the
// steps, so that names with dots (https://example.com/roles) are written as they
// are. Inside, a dot that belongs to a name is written \. as in
// resource_access.my\.client.roles.
type Path struct {
	whole string
	steps []string
}

// ParsePath reads a path.
func ParsePath(text string) (Path, error) {
	p := Path{whole: text}
	var step strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '.':
			i++
			step.WriteByte('.')
		case text[i] == '.':
			p.steps = append(p.steps, step.String())
			step.Reset()
		default:
			step.WriteByte(text[i])
		}
	}
	p.steps = append(p.steps, step.String())
	for _, s := range p.steps {
		// An address has empty steps, and is found as a whole only.
		if s == "" && !strings.Contains(text, "://") {
			return Path{}, errors.New("a step of the path is empty")
		}
	}
	return p, nil
}

// IsZero reports whether the path names nothing.
func (p Path) IsZero() bool { return p.whole == "" }

// String returns the path as it was written.
func (p Path) String() string { return p.whole }

// Roots are the names that the outermost member may have for p to find something:
// the whole path, and its first step.
func (p Path) Roots() []string {
	if p.IsZero() {
		return nil
	}
	return []string{p.whole, p.steps[0]}
}

// At returns the member that p names.
func (o Object) At(p Path) (Value, bool) {
	if p.IsZero() {
		return Value{}, false
	}
	if v, ok := o.Get(p.whole); ok {
		return v, true
	}
	for i, step := range p.steps {
		v, ok := o.Get(step)
		if !ok || i == len(p.steps)-1 {
			return v, ok
		}
		if o, ok = v.Object(); !ok {
			break
		}
	}
	return Value{}, false
}
