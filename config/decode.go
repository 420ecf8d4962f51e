package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/catflap/catflap/config/value"
	"go.yaml.in/yaml/v4"
)

// decoder fills Go values from the tree of the file and keeps what it could not
// read. It goes on after each problem.
type decoder struct {
	dir      string
	known    Known
	places   *places
	problems []Problem
	wrong    map[string]bool // fields that hold something unreadable
	above    map[string]bool // their parents
}

func newDecoder(file, dir string, known Known) *decoder {
	return &decoder{
		dir: dir, known: known, places: &places{file: file, lines: map[string]int{}},
		wrong: map[string]bool{}, above: map[string]bool{},
	}
}

var (
	secretType  = reflect.TypeFor[value.Secret]()
	pathType    = reflect.TypeFor[value.Path]()
	namesType   = reflect.TypeFor[value.Names]()
	accountType = reflect.TypeFor[AccountID]()
	handlerType = reflect.TypeFor[Handler]()
)

// refuse keeps a problem of a field whose value is unknown then.
func (d *decoder) refuse(path, message, hint string) {
	d.problems = append(d.problems, d.places.problem(path, message, hint))
	d.wrong[path] = true
	for p := parent(path); p != ""; p = parent(p) {
		d.above[p] = true
	}
}

// unread reports whether the field, one of its parents or something below it
// could not be read, so that a rule about it would speak of a value that is not
// the file's.
func (d *decoder) unread(path string) bool {
	if d.above[path] {
		return true
	}
	for ; path != ""; path = parent(path) {
		if d.wrong[path] {
			return true
		}
	}
	return false
}

// version looks at the version alone: a file of another format would be wrong on
// every other line.
func (d *decoder) version(root *yaml.Node) *Problem {
	if root.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(root.Content); i += 2 {
		k, v := root.Content[i], root.Content[i+1]
		if k.Value == "version" && v.Kind == yaml.ScalarNode && v.ShortTag() == "!!int" && v.Value != format {
			message, hint := wrongVersion(quote(v.Value))
			return &Problem{File: d.places.file, Line: k.Line, Field: "version", Message: message, Hint: hint}
		}
	}
	return nil
}

func (d *decoder) document(root *yaml.Node, c *Config) {
	d.places.lines[""] = root.Line
	d.structure(root, "", reflect.ValueOf(c).Elem())
}

// value reads n into v, which is addressable.
func (d *decoder) value(n *yaml.Node, path string, v reflect.Value, f Field) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		d.refuse(path, "has no value", "write one, or leave the field out")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, path, v.Elem(), f)
		return
	}
	switch v.Type() {
	case secretType:
		v.Set(reflect.ValueOf(d.secret(n, path)))
		return
	case accountType:
		v.Set(reflect.ValueOf(d.account(n, path)))
		return
	case namesType:
		d.severalNames(n, path, v, f)
		return
	case handlerType:
		d.handler(n, path, v)
		return
	}
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		d.quantity(n, path, u)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, path, v)
	case reflect.Slice:
		d.sequence(n, path, v, f)
	case reflect.Map:
		d.dictionary(n, path, v, f)
	default:
		d.scalar(n, path, v, f)
	}
}

func (d *decoder) sequence(n *yaml.Node, path string, v reflect.Value, f Field) {
	if n.Kind != yaml.SequenceNode {
		d.refuse(path, "a list is wanted here, not "+kindOf(n), "write one with [ and ], or each value on a line of its own after a -")
		return
	}
	if f.Required && len(n.Content) == 0 {
		d.refuse(path, "is empty", exampleHint(f))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	element := Field{Enum: f.Enum}
	for i, c := range n.Content {
		p := item(path, i)
		d.places.lines[p] = c.Line
		d.value(c, p, v.Index(i), element)
	}
}

func (d *decoder) dictionary(n *yaml.Node, path string, v reflect.Value, f Field) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range d.entries(n, path) {
		if tag := e.key.ShortTag(); tag != "!!str" {
			d.refuse(e.path, "this name reads as "+kindOf(e.key), "write the name in quotes")
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(e.value, e.path, element, Field{Enum: f.Enum})
		v.SetMapIndex(reflect.ValueOf(e.key.Value).Convert(v.Type().Key()), element)
	}
}

// target is a field and the place that its value goes to.
type target struct {
	Field
	to reflect.Value
}

func targets(v reflect.Value) []target {
	var l []target
	for _, f := range Fields(v.Type()) {
		l = append(l, target{f, v.FieldByIndex(f.Go.Index)})
	}
	return l
}

func (d *decoder) structure(n *yaml.Node, path string, v reflect.Value) {
	d.fields(n, path, targets(v), true)
}

// fields reads a mapping into its targets, and fills in the defaults of those
// that it does not name. Other names are refused, unless they can't be known
// since the mapping's type is unknown itself.
func (d *decoder) fields(n *yaml.Node, path string, all []target, strict bool) {
	byName := map[string]target{}
	for _, t := range all {
		if _, taken := byName[t.Name]; !taken {
			byName[t.Name] = t
		}
	}
	seen := map[string]bool{}
	for _, e := range d.entries(n, path) {
		t, ok := byName[e.key.Value]
		switch {
		case ok:
			seen[t.Name] = true
			d.value(e.value, e.path, t.to, t.Field)
		case strict:
			d.problems = append(d.problems, d.places.problem(e.path, "unknown field", misplaced(e.key.Value, all)))
		}
	}
	if d.wrong[path] {
		return
	}
	for _, t := range all {
		if !seen[t.Name] && byName[t.Name].to == t.to {
			d.absent(below(path, t.Name), t)
		}
	}
}

// misplaced is the hint for a field that does not exist: a similar one, one of
// the same name further below, or the list of them.
func misplaced(name string, all []target) string {
	names := make([]string, 0, len(all))
	for _, t := range all {
		names = append(names, t.Name)
	}
	if closest(name, names) == "" {
		for _, t := range all {
			typ := t.to.Type()
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			if typ.Kind() != reflect.Struct {
				continue
			}
			for _, f := range Fields(typ) {
				if f.Name == name {
					return fmt.Sprintf("%s belongs below %s", name, t.Name)
				}
			}
		}
	}
	return didYouMean(name, "the fields here are", names)
}

// entry is one line of a mapping.
type entry struct {
	path       string
	key, value *yaml.Node
}

// entries returns the fields of a mapping, each name once, and notes their lines.
func (d *decoder) entries(n *yaml.Node, path string) []entry {
	if n.Kind != yaml.MappingNode {
		d.refuse(path, "a mapping is wanted here, not "+kindOf(n), "write its fields as name: value")
		return nil
	}
	var l []entry
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		p := below(path, k.Value)
		if line, twice := first[k.Value]; twice {
			d.problems = append(d.problems, Problem{
				File: d.places.file, Line: k.Line, Field: p,
				Message: fmt.Sprintf("is written twice; first in line %d", line), Hint: "keep one of the two",
			})
			continue
		}
		first[k.Value] = k.Line
		d.places.lines[p] = k.Line
		l = append(l, entry{p, k, n.Content[i+1]})
	}
	return l
}

// exampleHint says how a missing field is written.
func exampleHint(f Field) string {
	name := f.Name + ": "
	switch {
	case f.Example != "":
		return "write for example " + name + f.Example
	case len(f.Enum) > 0:
		return "write " + f.Name + ": and one of " + strings.Join(f.Enum, ", ")
	case f.Go.Type == nil:
		return ""
	case f.Go.Type == secretType:
		return "write " + name + "{env: NAME} or " + name + "{file: PATH}"
	case f.Go.Type.Kind() == reflect.Slice:
		return "write " + name + "[...]"
	}
	return ""
}
