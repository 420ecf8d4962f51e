package config

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/catflap/catflap/config/value"
	"go.yaml.in/yaml/v4"
)

// kindOf names what stands in the file, without its value.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	case "!!null":
		return "nothing"
	}
	return "text"
}

// scalar reads plain text, a number or a truth value. Nothing is converted: a
// number where text is wanted would lose its zeros and its signs.
func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value, f Field) {
	switch v.Kind() {
	case reflect.String:
		d.text(n, path, v, f)
	case reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" || n.ShortTag() != "!!bool" {
			d.refuse(path, "true or false is wanted here", "write true or false, without quotes")
			return
		}
		v.SetBool(n.Value == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.integer(n, path, v)
	default:
		d.refuse(path, "this build can't read a field of the type "+v.Type().String(), "")
	}
}

func (d *decoder) text(n *yaml.Node, path string, v reflect.Value, f Field) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		hint := "write it in quotes"
		if n.Kind != yaml.ScalarNode {
			hint = exampleHint(f)
		}
		d.refuse(path, "text is wanted here, not "+kindOf(n), hint)
		return
	}
	switch {
	case f.Required && n.Value == "":
		d.refuse(path, "is empty", exampleHint(f))
		return
	case len(f.Enum) > 0 && !slices.Contains(f.Enum, n.Value):
		d.refuse(path, quote(n.Value)+" is not one of "+strings.Join(f.Enum, ", "), suggestion(n.Value, f.Enum))
		return
	}
	if v.Type() == pathType {
		v.SetString(string(value.Path(n.Value).Below(d.dir)))
		return
	}
	v.SetString(n.Value)
}

func suggestion(name string, known []string) string {
	if c := closest(name, known); c != "" {
		return "did you mean " + c + "?"
	}
	return ""
}

var wholeNumber = regexp.MustCompile(`\A-?(0|[1-9][0-9]{0,18})\z`)

func (d *decoder) integer(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || !wholeNumber.MatchString(n.Value) {
		d.refuse(path, "a whole number is wanted here", "write digits alone, such as 100")
		return
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || v.OverflowInt(i) {
		d.refuse(path, "the number is too large", "")
		return
	}
	v.SetInt(i)
}

// quantity reads a type that reads itself from text, such as a duration.
func (d *decoder) quantity(n *yaml.Node, path string, u encoding.TextUnmarshaler) {
	const enough = 100
	tag := n.ShortTag()
	if n.Kind != yaml.ScalarNode || tag != "!!str" && tag != "!!int" && tag != "!!float" {
		d.refuse(path, "text is wanted here, not "+kindOf(n), "")
		return
	}
	if len(n.Value) > enough {
		d.refuse(path, fmt.Sprintf("is longer than %d letters", enough), "")
		return
	}
	if err := u.UnmarshalText([]byte(n.Value)); err != nil {
		message, hint, _ := strings.Cut(err.Error(), "; ")
		d.refuse(path, message, hint)
	}
}
