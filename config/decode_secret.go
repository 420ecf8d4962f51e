package config

import (
	"regexp"

	"github.com/catflap/catflap/config/value"
	"go.yaml.in/yaml/v4"
)

// Nothing in this file says what stands in the configuration: somebody who writes the
// secret itself by mistake must not find it in the log.

const secretHint = "write {env: NAME} with the name of an environment variable, or {file: PATH}"

var variableName = regexp.MustCompile(`\A[A-Za-z_][A-Za-z0-9_]{0,127}\z`)

// secret reads the name of a secret.
func (d *decoder) secret(n *yaml.Node, path string) (s value.Secret) {
	if n.Kind != yaml.MappingNode {
		d.refuse(path, "a secret itself is not written in the file, only where it is kept", secretHint)
		return s
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Value != "env" && k.Value != "file" || v.Kind != yaml.ScalarNode || v.ShortTag() != "!!str" || v.Value == "" {
			d.refuse(path, "neither an environment variable nor a file is named", secretHint)
			return value.Secret{}
		}
		d.places.lines[below(path, k.Value)] = k.Line
		switch {
		case s.Env != "" || s.File != "":
			d.refuse(path, "more than one place is named", "keep one: {env: NAME} or {file: PATH}")
			return value.Secret{}
		case k.Value == "file":
			s.File = value.Path(v.Value).Below(d.dir)
		case !variableName.MatchString(v.Value):
			d.refuse(path, "env does not hold the name of an environment variable", "write the name alone, such as CAT_KEY, without $ and without the value")
			return value.Secret{}
		default:
			s.Env = v.Value
		}
	}
	if s.IsZero() {
		d.refuse(path, "neither an environment variable nor a file is named", secretHint)
	}
	return s
}

// account reads the id of a service account: text, or the name of a secret.
func (d *decoder) account(n *yaml.Node, path string) (a AccountID) {
	switch {
	case n.Kind == yaml.MappingNode:
		a.From = d.secret(n, path)
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		d.refuse(path, "text is wanted here, not "+kindOf(n), "write the account's id in quotes, or {env: NAME} or {file: PATH}")
	case n.Value == "":
		d.refuse(path, "is empty", "write the account's id, or {env: NAME} or {file: PATH}")
	default:
		a.Literal = n.Value
	}
	return a
}
