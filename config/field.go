package config

import (
	"reflect"
	"slices"
	"strings"
)

// Field is one field that a mapping of the file may hold, as the tags of its Go
// type say it. The decoder, the documentation and the schema read the same.
type Field struct {
	Name     string              // yaml:"name"
	Go       reflect.StructField // the field itself, reached from the outer type by Go.Index
	Required bool                // required:"true": must be there, and not empty
	Default  string              // default:"text", as one would write it; a list's with commas
	Enum     []string            // enum:"a,b": the only values; of a list, of its elements
	Example  string              // example:"text": what a hint shows
}

// Fields returns the fields that stand in the mapping of the struct type t, in
// their order. The fields of embedded structs stand there too; a field without a
// yaml tag, or with yaml:"-", is none.
func Fields(t reflect.Type) []Field {
	var l []Field
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			for _, inner := range Fields(f.Type) {
				inner.Go.Index = slices.Concat(f.Index, inner.Go.Index)
				l = append(l, inner)
			}
		case f.IsExported() && name != "" && name != "-":
			l = append(l, Field{
				Name: name, Go: f, Required: f.Tag.Get("required") == "true", Default: f.Tag.Get("default"),
				Enum: list(f.Tag.Get("enum")), Example: f.Tag.Get("example"),
			})
		}
	}
	return l
}

// list reads the comma lists of tags.
func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
