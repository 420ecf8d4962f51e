package configdoc

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/config/value"
)

// kind is what may stand at a place of the file.
type kind int

const (
	text kind = iota
	number
	truth
	duration
	size
	path
	names // a text or a list of texts
	secret
	account
	list
	dictionary
	mapping
)

// node is what may stand at one place of the file.
type node struct {
	kind    kind
	about   string  // the comment of a mapping's type, without the name in Go
	fields  []field // of a mapping, in their order
	element *node   // of a list or a dictionary
}

// field is one field of a mapping.
type field struct {
	config.Field
	text string // the field's comment
	node *node
}

// handler is one handler type: its name, and its fields beside the common ones.
type handler struct {
	name string
	node *node
}

// Reference is all that is known of the configuration.
type Reference struct {
	root     *node
	handlers []handler
}

// New reads the types of the configuration and of the given handlers; root is the
// folder of the module, where their comments are.
func New(root string, types config.HandlerTypes) (*Reference, error) {
	b := builder{newComments(root)}
	r := &Reference{}
	var err error
	if r.root, err = b.node(reflect.TypeFor[config.Config]()); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(types))
	for name := range types {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		n, err := b.node(reflect.TypeOf(types[name]()).Elem())
		if err != nil {
			return nil, fmt.Errorf("handler type %s: %w", name, err)
		}
		r.handlers = append(r.handlers, handler{name, n})
	}
	return r, nil
}

type builder struct{ comments *comments }

func (b *builder) node(t reflect.Type) (*node, error) {
	switch t {
	case reflect.TypeFor[value.Secret]():
		return &node{kind: secret}, nil
	case reflect.TypeFor[value.Path]():
		return &node{kind: path}, nil
	case reflect.TypeFor[value.Names]():
		return &node{kind: names}, nil
	case reflect.TypeFor[value.Duration]():
		return &node{kind: duration}, nil
	case reflect.TypeFor[value.Size]():
		return &node{kind: size}, nil
	case reflect.TypeFor[config.AccountID]():
		return &node{kind: account}, nil
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return &node{kind: text}, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return b.node(t.Elem())
	case reflect.String:
		return &node{kind: text}, nil
	case reflect.Bool:
		return &node{kind: truth}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &node{kind: number}, nil
	case reflect.Slice:
		element, err := b.node(t.Elem())
		return &node{kind: list, element: element}, err
	case reflect.Map:
		element, err := b.node(t.Elem())
		return &node{kind: dictionary, element: element}, err
	case reflect.Struct:
		return b.mapping(t)
	}
	return nil, fmt.Errorf("a field of the type %s can't be read", t)
}

func (b *builder) mapping(t reflect.Type) (*node, error) {
	about, err := b.comments.of(t)
	if err != nil {
		return nil, err
	}
	n := &node{kind: mapping, about: strings.TrimPrefix(about.text, t.Name()+" ")}
	for _, f := range config.Fields(t) {
		owner := about
		if len(f.Go.Index) > 1 { // of an embedded struct
			if owner, err = b.comments.of(t.FieldByIndex(f.Go.Index[:len(f.Go.Index)-1]).Type); err != nil {
				return nil, err
			}
		}
		said := owner.fields[f.Go.Name]
		if said == "" {
			return nil, fmt.Errorf("%s.%s has no comment", t, f.Go.Name)
		}
		below, err := b.node(f.Go.Type)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, f.Go.Name, err)
		}
		n.fields = append(n.fields, field{f, said, below})
	}
	return n, nil
}
