package standin

import (
	"encoding/json"
	"fmt"
	"strings"
)

// fits reports a point that meets a filter as the Cat writes it for Qdrant: each member
// is a condition, an object's members are conditions on what is within, and each entry of
// a list is one more condition.
func (p *point) fits(filter map[string]any) bool { return p.meets("", filter) }

func (p *point) meets(prefix string, filter map[string]any) bool {
	for name, want := range filter {
		if !p.meetsOne(prefix+name, want) {
			return false
		}
	}
	return true
}

func (p *point) meetsOne(path string, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		return p.meets(path+".", w)
	case []any:
		for _, one := range w {
			if within, ok := one.(map[string]any); ok && !p.meets(path+"[].", within) || !ok && !p.has(path, one) {
				return false
			}
		}
		return true
	}
	return p.has(path, want)
}

// has reports whether one of the values at the path is want.
func (p *point) has(path string, want any) bool {
	for _, v := range valuesAt(p.metadata, strings.Split(path, ".")) {
		if scalar(v) == scalar(want) {
			return true
		}
	}
	return false
}

// valuesAt are the values at a path; a list at its end is its entries.
func valuesAt(at any, path []string) []any {
	if len(path) == 0 {
		if list, ok := at.([]any); ok {
			return list
		}
		return []any{at}
	}
	within, ok := at.(map[string]any)
	if !ok {
		return nil
	}
	name, each := strings.CutSuffix(path[0], "[]")
	v, ok := within[name]
	if !ok {
		return nil
	}
	list, isList := v.([]any)
	if !each || !isList {
		return valuesAt(v, path[1:])
	}
	var all []any
	for _, one := range list {
		all = append(all, valuesAt(one, path[1:])...)
	}
	return all
}

// scalar is a value with its kind, so that 0 and "0" differ and 0 and 0.0 do not.
func scalar(v any) string {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err == nil {
			return fmt.Sprint("number ", f)
		}
	case int:
		return fmt.Sprint("number ", float64(v))
	case float64:
		return fmt.Sprint("number ", v)
	case string:
		return "text " + v
	case bool:
		return fmt.Sprint("truth ", v)
	}
	return fmt.Sprintf("%T %v", v, v)
}
