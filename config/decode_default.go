package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
)

// absent treats a field that the file does not hold: refused when it is required,
// else its default.
func (d *decoder) absent(path string, t target) {
	switch {
	case t.Required:
		d.refuse(path, "required", exampleHint(t.Field))
	case t.Default != "":
		setDefault(t.to, t.Field)
	case t.to.Kind() == reflect.Struct && !readsItself(t.to.Type()):
		for _, inner := range targets(t.to) {
			d.absent(below(path, inner.Name), inner)
		}
	}
}

// readsItself reports the struct types that are one value, not a mapping.
func readsItself(t reflect.Type) bool {
	return t == secretType || t == accountType || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// setDefault sets the value of a default tag. One that can't be read is a mistake
// in the program, which the first test that loads any file finds.
func setDefault(v reflect.Value, f Field) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if v.Kind() == reflect.Slice {
		v.SetZero()
		for _, text := range list(f.Default) {
			element := reflect.New(v.Type().Elem()).Elem()
			mustSet(element, f.Name, text)
			v.Set(reflect.Append(v, element))
		}
		return
	}
	mustSet(v, f.Name, f.Default)
}

func mustSet(v reflect.Value, name, text string) {
	var err error
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		err = u.UnmarshalText([]byte(text))
	} else {
		switch {
		case v.Kind() == reflect.String:
			v.SetString(text)
		case v.Kind() == reflect.Bool:
			var b bool
			b, err = strconv.ParseBool(text)
			v.SetBool(b)
		case v.CanInt():
			var i int64
			i, err = strconv.ParseInt(text, 10, 64)
			v.SetInt(i)
		default:
			err = fmt.Errorf("a default of the type %s", v.Type())
		}
	}
	if err != nil {
		panic(fmt.Sprintf("config: the default of %s can't be read: %v", name, err))
	}
}
