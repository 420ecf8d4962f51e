package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/catflap/catflap/config/value"
	"go.yaml.in/yaml/v4"
)

// Resolved returns the configuration as YAML with every default written out, and
// each handler's alias. Paths are as the process sees them. Secrets are their
// names, so that the text can be shown.
func (c *Config) Resolved() ([]byte, error) {
	b, err := yaml.Dump(resolvedMapping(reflect.ValueOf(c).Elem()), yaml.WithCompactSeqIndent(false), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return b, nil
}

func resolvedMapping(v reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, t := range fieldsOf(v) {
		if node := resolvedField(v, t); node != nil {
			n.Content = append(n.Content, textNode(t.Name), node)
		}
	}
	return n
}

func resolvedField(parent reflect.Value, t target) *yaml.Node {
	if parent.Type() == handlerType && t.Name == "alias" {
		return textNode(parent.Interface().(Handler).EffectiveAlias())
	}
	return resolvedValue(t.to, t.Default != "")
}

// resolvedValue returns nil for what is not set; "" and 0 count as set where the
// field has a default to differ from.
func resolvedValue(v reflect.Value, always bool) *yaml.Node {
	switch x := v.Interface().(type) {
	case value.Secret:
		return secretNode(x)
	case AccountID:
		if x.Literal != "" {
			return textNode(x.Literal)
		}
		return secretNode(x.From)
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil || len(text) == 0 {
			return nil
		}
		if wholeNumber.Match(text) {
			return numberNode(string(text))
		}
		return textNode(string(text))
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return resolvedValue(v.Elem(), true)
	case reflect.Struct:
		if n := resolvedMapping(v); len(n.Content) > 0 {
			return n
		}
		return nil
	case reflect.Slice:
		return resolvedList(v)
	case reflect.Map:
		return resolvedMap(v)
	case reflect.String:
		if v.String() == "" && !always {
			return nil
		}
		return textNode(v.String())
	case reflect.Bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v.Bool())}
	default:
		return numberNode(fmt.Sprint(v.Interface()))
	}
}

func resolvedList(v reflect.Value) *yaml.Node {
	if v.IsNil() {
		return nil
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	if v.Len() == 0 || v.Type().Elem().Kind() == reflect.String {
		n.Style = yaml.FlowStyle
	}
	for i := range v.Len() {
		n.Content = append(n.Content, resolvedValue(v.Index(i), true))
	}
	return n
}

func resolvedMap(v reflect.Value) *yaml.Node {
	if v.IsNil() {
		return nil
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		n.Content = append(n.Content, textNode(k.String()), resolvedValue(v.MapIndex(k), true))
	}
	return n
}

func secretNode(s value.Secret) *yaml.Node {
	name, place := "env", s.Env
	switch {
	case s.IsZero():
		return nil
	case s.File != "":
		name, place = "file", string(s.File)
	}
	return &yaml.Node{
		Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle,
		Content: []*yaml.Node{textNode(name), textNode(place)},
	}
}

func numberNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: text}
}

func textNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}
