package strictjson

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
)

// noLimit is for text that was proved before.
const noLimit = math.MaxInt

// Value is one proved JSON value. The zero Value is none.
type Value struct{ text string }

// Text returns the value as it was written.
func (v Value) Text() string { return v.text }

func (v Value) begins(c byte) bool { return v.text != "" && v.text[0] == c }

// Str returns the value of a JSON string, and false for everything else.
func (v Value) Str() (string, bool) {
	if !v.begins('"') {
		return "", false
	}
	inner := v.text[1 : len(v.text)-1]
	if strings.IndexByte(inner, '\\') >= 0 {
		inner = unescape(inner)
	}
	return inner, true
}

// Bool returns the value of true or false, and ok false for everything else.
func (v Value) Bool() (b, ok bool) { return v.text == "true", v.text == "true" || v.text == "false" }

// IsNumber reports whether the value is a JSON number.
func (v Value) IsNumber() bool {
	return v.begins('-') || v.text != "" && '0' <= v.text[0] && v.text[0] <= '9'
}

// Number returns the value of a JSON number that a float64 can hold.
func (v Value) Number() (float64, bool) {
	if !v.IsNumber() {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.text, 64)
	return f, err == nil
}

// Array returns the elements of a JSON array, and false for everything else.
func (v Value) Array() ([]Value, bool) {
	if !v.begins('[') {
		return nil, false
	}
	all := []Value{}
	s := scanner{text: v.text, depth: noLimit}
	err := s.array(func(e Value) { all = append(all, e) })
	return all, err == nil
}

// Strings returns the elements of an array of strings. One element that is no
// string makes the whole value something else, and false.
func (v Value) Strings() ([]string, bool) {
	all, ok := v.Array()
	if !ok {
		return nil, false
	}
	out := make([]string, len(all))
	for i, e := range all {
		if out[i], ok = e.Str(); !ok {
			return nil, false
		}
	}
	return out, true
}

// Object returns the members of a JSON object, and false for everything else.
func (v Value) Object() (Object, bool) {
	if !v.begins('{') {
		return nil, false
	}
	o, err := ParseObject(v.text, noLimit)
	return o, err == nil
}

// Object is the members of one JSON object, in the order of the text.
type Object []Member

// Member is a name with its value.
type Member struct {
	Name  string
	Value Value
}

// ParseObject proves that text is exactly one JSON object of at most depth levels
// (the object itself is one). The error is an *Error.
func ParseObject(text string, depth int) (Object, error) {
	s := scanner{text: text, depth: depth}
	s.space()
	if s.pos == len(text) || text[s.pos] != '{' {
		return nil, s.fail("no object")
	}
	o := Object{}
	if err := s.object(func(n string, v Value) { o = append(o, Member{n, v}) }); err != nil {
		return nil, err
	}
	s.space()
	if s.pos != len(text) {
		return nil, s.fail("data behind the object")
	}
	return o, nil
}

// Get returns the member of exactly this name.
func (o Object) Get(name string) (Value, bool) {
	for i := range o {
		if o[i].Name == name {
			return o[i].Value, true
		}
	}
	return Value{}, false
}

// unescape decodes what str has proved.
func unescape(inner string) string {
	const from, to = "\"\\/bfnrt", "\"\\/\b\f\n\r\t"
	var b strings.Builder
	b.Grow(len(inner))
	for i := 0; i < len(inner); {
		switch {
		case inner[i] != '\\':
			b.WriteByte(inner[i])
			i++
		case inner[i+1] == 'u':
			r, n := unicodeEscape(inner[i:])
			b.WriteRune(r)
			i += n
		default:
			b.WriteByte(to[strings.IndexByte(from, inner[i+1])])
			i += 2
		}
	}
	return b.String()
}

// unicodeEscape reads a \u escape, or the two of a surrogate pair, at the start of
// s. Its length is 0 when there is none.
func unicodeEscape(s string) (r rune, length int) {
	high, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(high) {
		return high, 6
	}
	low, ok := hex4(s[6:])
	if !ok || low < 0xdc00 || low > 0xdfff || high > 0xdbff {
		return 0, 0
	}
	return utf16.DecodeRune(high, low), 12
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
