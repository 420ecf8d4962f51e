package config

import "reflect"

// each calls visit for each field that a mapping of the file holds or could hold,
// those of handler types too, and for each element of its lists.
func (c *Config) each(visit func(field string, f Field, v reflect.Value)) {
	walk("", reflect.ValueOf(c).Elem(), visit)
}

func walk(path string, v reflect.Value, visit func(string, Field, reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(path, v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(item(path, i), Field{}, v.Index(i))
			walk(item(path, i), v.Index(i), visit)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			visit(below(path, k.String()), Field{}, v.MapIndex(k))
			walk(below(path, k.String()), v.MapIndex(k), visit)
		}
	case reflect.Struct:
		if readsItself(v.Type()) {
			return
		}
		for _, t := range fieldsOf(v) {
			p := below(path, t.Name)
			visit(p, t.Field, t.to)
			walk(p, t.to, visit)
		}
	}
}

// fieldsOf returns the fields of a mapping with their values; a handler's are
// those that all have and those of its type.
func fieldsOf(v reflect.Value) []target {
	all := targets(v)
	if v.Type() != handlerType {
		return all
	}
	settings := v.FieldByName("Settings")
	if settings.IsNil() {
		return all
	}
	return append(all, targets(settings.Elem().Elem())...)
}
