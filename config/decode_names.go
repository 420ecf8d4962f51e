package config

import (
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// severalNames reads one name, or a list of them.
func (d *decoder) severalNames(n *yaml.Node, path string, v reflect.Value, f Field) {
	if n.Kind != yaml.SequenceNode {
		d.text(n, path, v, f)
		if strings.Contains(v.String(), "\n") {
			d.refuse(path, "has a line end", "write one name, or a list of them with [ and ]")
		}
		return
	}
	if len(n.Content) == 0 {
		d.refuse(path, "is empty", "write the names, or leave the field out")
		return
	}
	var all []string
	for i, c := range n.Content {
		p := item(path, i)
		d.places.lines[p] = c.Line
		name := reflect.New(reflect.TypeFor[string]()).Elem()
		d.text(c, p, name, Field{Required: true})
		switch text := name.String(); {
		case strings.Contains(text, "\n"):
			d.refuse(p, "has a line end", "write one name")
		case text != "" && slices.Contains(all, text):
			d.refuse(p, quote(text)+" is listed twice", "leave it out")
		default:
			all = append(all, text)
		}
	}
	v.SetString(strings.Join(all, "\n"))
}
