package configdoc

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// object is a part of a JSON Schema. Its keys are written in alphabetical order.
type object map[string]any

// Schema writes the JSON Schema, draft 2020-12.
func (r *Reference) Schema() ([]byte, error) {
	s := r.schema(r.root)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "catflap.yaml"
	defs := object{
		"secret": object{
			"description": "Where a secret is kept: an environment variable or a file.",
			"oneOf": []object{
				{"type": "object", "properties": object{"env": object{"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$"}}, "required": []string{"env"}, "additionalProperties": false},
				{"type": "object", "properties": object{"file": object{"type": "string", "minLength": 1}}, "required": []string{"file"}, "additionalProperties": false},
			},
		},
		"duration": object{"anyOf": []object{{"const": 0}, {"type": "string", "pattern": `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`}}},
		"size":     object{"anyOf": []object{{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)?$"}}},
	}
	common := r.handlersNode()
	for _, h := range r.handlers {
		both := &node{kind: mapping, about: h.node.about, fields: append(append([]field(nil), common.fields...), h.node.fields...)}
		of := r.schema(both)
		of["properties"].(object)["type"] = object{"const": h.name}
		defs["handler-"+h.name] = of
	}
	s["$defs"] = defs
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// handlersNode returns what the entries of handlers have in common.
func (r *Reference) handlersNode() *node {
	for _, f := range r.root.fields {
		if f.Name == "handlers" {
			return f.node.element
		}
	}
	return &node{}
}

func (r *Reference) schema(n *node) object {
	switch n.kind {
	case number:
		return object{"type": "integer"}
	case truth:
		return object{"type": "boolean"}
	case duration, size, secret:
		return object{"$ref": "#/$defs/" + [...]string{duration: "duration", size: "size", secret: "secret"}[n.kind]}
	case account:
		return object{"anyOf": []object{{"type": "string", "minLength": 1}, {"$ref": "#/$defs/secret"}}}
	case names:
		return object{"anyOf": []object{{"type": "string"}, {"type": "array", "items": object{"type": "string", "minLength": 1}, "minItems": 1}}}
	case list:
		return object{"type": "array", "items": r.schema(n.element)}
	case dictionary:
		return object{"type": "object", "additionalProperties": r.schema(n.element)}
	case mapping:
		if n == r.handlersNode() {
			return r.anyHandler()
		}
		return r.mapping(n)
	}
	return object{"type": "string"}
}

// anyHandler chooses the fields of a handler by its type. A build of one's own has
// further types, whose fields are not known here: they are not marked as mistakes.
func (r *Reference) anyHandler() object {
	names := make([]string, 0, len(r.handlers))
	var choices []object
	for _, h := range r.handlers {
		names = append(names, h.name)
		choices = append(choices, object{
			"if":   object{"properties": object{"type": object{"const": h.name}}, "required": []string{"type"}},
			"then": object{"$ref": "#/$defs/handler-" + h.name},
		})
	}
	properties := object{}
	for _, f := range r.handlersNode().fields {
		properties[f.Name] = r.property(f)
	}
	properties["type"] = object{
		"description": properties["type"].(object)["description"],
		"anyOf":       []object{{"enum": names}, {"type": "string", "minLength": 1, "description": "A type of a build with handlers of one's own."}},
	}
	s := object{"type": "object", "properties": properties, "required": []string{"name", "type"}}
	if len(choices) > 0 {
		s["allOf"] = choices
	}
	return s
}

func (r *Reference) mapping(n *node) object {
	properties := object{}
	required := []string{}
	for _, f := range n.fields {
		properties[f.Name] = r.property(f)
		if f.Required || needed(f) {
			required = append(required, f.Name)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// needed reports a mapping that must be there since something in it must.
func needed(f field) bool {
	if f.node.kind != mapping || f.Go.Type.Kind() == reflect.Pointer {
		return false
	}
	for _, inner := range f.node.fields {
		if inner.Required || needed(inner) {
			return true
		}
	}
	return false
}

func (r *Reference) property(f field) object {
	s := r.schema(f.node)
	s["description"] = plain(f.text)
	if f.Default != "" {
		s["default"] = literal(f.node, f.Default)
	}
	if len(f.Enum) > 0 {
		values := make([]any, len(f.Enum))
		for i, e := range f.Enum {
			values[i] = literal(f.node, e)
		}
		if f.node.kind == list {
			s["items"].(object)["enum"] = f.Enum
		} else {
			s["enum"] = values
		}
	}
	if f.Required {
		switch f.node.kind {
		case text, path:
			s["minLength"] = 1
		case list:
			s["minItems"] = 1
		}
	}
	return s
}

// literal is the JSON value of a default or an allowed value.
func literal(n *node, s string) any {
	switch n.kind {
	case number:
		if i, err := strconv.Atoi(s); err == nil {
			return i
		}
	case truth:
		return s == "true"
	case list:
		return strings.Split(s, ",")
	}
	return s
}

// plain takes the marks of Markdown out of a comment.
func plain(comment string) string {
	return strings.ReplaceAll(strings.ReplaceAll(comment, "`", ""), "\n\n", "\n")
}
