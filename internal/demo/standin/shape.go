package standin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// shape reads the fields of a body and collects what is wrong with them: the Cat
// answers with all of it at once.
type shape struct {
	fields   map[string]any
	absent   any // what the Cat says was there instead of a missing field
	problems []object
}

// model is the body as an object with fields of its own. It reports false when it
// has answered already.
func (e *exchange) model() (*shape, bool) {
	switch d := e.value.(type) {
	case nil:
		e.invalid(problem("missing", "Field required", nil, "body"))
	case map[string]any:
		return &shape{fields: d, absent: d}, true
	default:
		e.invalid(problem("model_attributes_type",
			"Input should be a valid dictionary or object to extract fields from", d, "body"))
	}
	return nil, false
}

// dict is the body as any object; no body at all, or null, is the default. It
// reports false when it has answered already.
func (e *exchange) dict(otherwise map[string]any) (map[string]any, bool) {
	switch d := e.value.(type) {
	case nil:
		if otherwise != nil {
			return otherwise, true
		}
		e.invalid(problem("missing", "Field required", nil, "body"))
	case map[string]any:
		return d, true
	default:
		e.invalid(problem("dict_type", "Input should be a valid dictionary", d, "body"))
	}
	return nil, false
}

func (s *shape) wrong(p object) { s.problems = append(s.problems, p) }

// text is a field that must be a text.
func (s *shape) text(name string, required bool) string {
	v, sent := s.fields[name]
	text, ok := v.(string)
	switch {
	case !sent && required:
		s.wrong(problem("missing", "Field required", s.absent, "body", name))
	case sent && !ok:
		s.wrong(problem("string_type", "Input should be a valid string", v, "body", name))
	}
	return text
}

// textOf is a text of some length.
func (s *shape) textOf(name string, least int, required bool) string {
	text := s.text(name, required)
	if _, ok := s.fields[name].(string); ok && utf8.RuneCountInString(text) < least {
		s.wrong(append(problem("string_too_short", fmt.Sprintf("String should have at least %d characters", least), text, "body", name),
			field{"ctx", object{{"min_length", least}}}))
	}
	return text
}

// dict is a field that must be an object if it is there.
func (s *shape) dict(name string) map[string]any {
	v, sent := s.fields[name]
	d, ok := v.(map[string]any)
	if sent && !ok {
		s.wrong(problem("dict_type", "Input should be a valid dictionary", v, "body", name))
	}
	return d
}

// number is a field that must be a whole number if it is there.
func (s *shape) number(name string, otherwise int) int {
	v, sent := s.fields[name]
	if !sent {
		return otherwise
	}
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return int(i)
		}
	}
	s.wrong(problem("int_parsing", "Input should be a valid integer, unable to parse string as an integer", v, "body", name))
	return otherwise
}

// only forbids all other fields.
func (s *shape) only(names ...string) {
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		if !slices.Contains(names, name) {
			s.wrong(problem("extra_forbidden", "Extra inputs are not permitted", s.fields[name], "body", name))
		}
	}
}

// good answers with the problems if there are any.
func (s *shape) good(e *exchange) bool {
	if len(s.problems) > 0 {
		e.invalid(s.problems...)
		return false
	}
	return true
}
