package config

import (
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"
)

// handler reads one entry of handlers: the fields that all have and those of its
// type, in one mapping.
func (d *decoder) handler(n *yaml.Node, path string, v reflect.Value) {
	h := v.Addr().Interface().(*Handler)
	all := targets(v)
	settings, typ := d.settings(n)
	if settings != nil {
		h.Settings = settings
		all = append(all, targets(reflect.ValueOf(settings).Elem())...)
	}
	d.fields(n, path, all, settings != nil)
	if settings == nil && typ != "" {
		d.refuse(below(path, "type"), quote(typ)+" is no handler type of this build", didYouMean(typ, "the types are", d.types()))
	}
}

// settings makes the empty settings of the type that the mapping names.
func (d *decoder) settings(n *yaml.Node) (s HandlerSettings, typ string) {
	if n.Kind != yaml.MappingNode {
		return nil, ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if v := n.Content[i+1]; n.Content[i].Value == "type" && v.Kind == yaml.ScalarNode && v.ShortTag() == "!!str" {
			typ = v.Value
			break
		}
	}
	if empty, ok := d.known.Handlers[typ]; ok {
		return empty(), typ
	}
	return nil, typ
}

func (d *decoder) types() []string {
	l := make([]string, 0, len(d.known.Handlers))
	for name := range d.known.Handlers {
		l = append(l, name)
	}
	slices.Sort(l)
	return l
}
