package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/keyset/strictjson"
)

func TestParseObject(t *testing.T) {
	for _, c := range []struct{ name, text, problem string }{
		{"empty object", `{}`, ""},
		{"white space", " \t\r\n{ \"a\" : 1 , \"b\" : [ ] } \n", ""},
		{"all kinds", `{"a":null,"b":true,"c":false,"d":-1.5e+3,"e":"x","f":[1,"y",{}],"g":{"h":0}}`, ""},
		{"escapes", `{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\udc08"}`, ""},
		{"same name in two objects", `{"a":{"x":1},"b":{"x":1}}`, ""},
		{"names that differ in case", `{"sub":1,"Sub":1,"SUB":1,"ſub":1}`, ""},
		{"a replacement character that was written", "{\"a\":\"\ufffd\"}", ""},

		{"nothing", ``, "no object"},
		{"only space", ` `, "no object"},
		{"array", `[]`, "no object"},
		{"string", `"a"`, "no object"},
		{"byte order mark", "\xef\xbb\xbf{}", "no object"},
		{"UTF-16", "{\x00}\x00", "no member name"},
		{"data behind", `{} {}`, "data behind"},
		{"NUL behind", "{}\x00", "data behind"},
		{"open", `{"a":1`, "no comma"},
		{"comma at the end", `{"a":1,}`, "no member name"},
		{"comma in an array at the end", `{"a":[1,]}`, "no value"},
		{"no comma", `{"a":1 "b":2}`, "no comma"},
		{"no colon", `{"a" 1}`, "no colon"},
		{"no value", `{"a":}`, "no value"},
		{"bare name", `{a:1}`, "no member name"},
		{"single quotes", `{'a':1}`, "no member name"},
		{"comment", `{/**/}`, "no member name"},
		{"twice", `{"a":1,"a":1}`, "twice"},
		{"twice by an escape", `{"a":1,"\u0061":1}`, "twice"},
		{"twice inside", `{"x":[{"y":{"a":1,"b":2,"a":1}}]}`, "twice"},
		{"twice among many", `{` + members(40) + `,"m7":1}`, "twice"},
		{"twice at the sixteenth", `{` + members(16) + `,"m0":1}`, "twice"},
		{"lone high surrogate", `{"a":"\ud800"}`, "lone"},
		{"lone low surrogate", `{"a":"\udc00"}`, "lone"},
		{"high and no low", `{"a":"\ud800\u0041"}`, "lone"},
		{"two high", `{"a":"\ud800\ud800"}`, "lone"},
		{"surrogates the wrong way", `{"a":"\udc00\ud800"}`, "lone"},
		{"lone surrogate in a name", `{"\ud800":1}`, "lone"},
		{"short escape", `{"a":"\u12"}`, "lone"},
		{"unknown escape", `{"a":"\x41"}`, "unknown escape"},
		{"escape at the end", `{"a":"\`, "without end"},
		{"control character", "{\"a\":\"\n\"}", "control"},
		{"bad UTF-8", "{\"a\":\"\xff\"}", "no UTF-8"},
		{"overlong UTF-8", "{\"a\":\"\xc0\x80\"}", "no UTF-8"},
		{"surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", "no UTF-8"},
		{"leading zero", `{"a":01}`, "no comma"},
		{"plus", `{"a":+1}`, "no value"},
		{"only minus", `{"a":-}`, "no number"},
		{"point at the end", `{"a":1.}`, "no number"},
		{"exponent without digits", `{"a":1e}`, "no number"},
		{"hexadecimal", `{"a":0x1}`, "no comma"},
		{"NaN", `{"a":NaN}`, "no value"},
		{"word in capitals", `{"a":True}`, "no value"},
		{"half a word", `{"a":tru}`, "no value"},
		{"too deep", `{"a":` + strings.Repeat("[", 8) + strings.Repeat("]", 8) + `}`, "deep"},
		{"as deep as allowed", `{"a":` + strings.Repeat("[", 7) + strings.Repeat("]", 7) + `}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := strictjson.ParseObject(c.text, 8)
			var at *strictjson.Error
			switch {
			case c.problem == "" && err != nil:
				t.Fatal(err)
			case c.problem != "" && (!errors.As(err, &at) || !strings.Contains(at.Problem, c.problem)):
				t.Fatalf("%v, want %q", err, c.problem)
			}
		})
	}
}

func members(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"m%d":%d`, i, i))
	}
	return strings.Join(all, ",")
}

func object(t *testing.T, text string) strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject(text, 32)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestValues(t *testing.T) {
	o := object(t, `{"s":"a\u00e9\ud83d\udc08\n","b":true,"f":false,"n":-1.5e3,"big":1e400,"null":null,
		"list":["a","b"],"none":[],"mixed":["a",1],"nested":[["a"]],"o":{"x":"y"}}`)
	get := func(name string) strictjson.Value { v, _ := o.Get(name); return v }
	if s, ok := get("s").Str(); !ok || s != "aé🐈\n" {
		t.Errorf("s: %q %v", s, ok)
	}
	for _, name := range []string{"b", "f", "n", "null", "list", "o", "absent"} {
		if s, ok := get(name).Str(); ok {
			t.Errorf("%s is no string, but %q", name, s)
		}
	}
	if b, ok := get("b").Bool(); !b || !ok {
		t.Error("b")
	}
	if b, ok := get("f").Bool(); b || !ok {
		t.Error("f")
	}
	if _, ok := get("s").Bool(); ok {
		t.Error("s is no bool")
	}
	if n, ok := get("n").Number(); !ok || n != -1500 {
		t.Errorf("n: %v %v", n, ok)
	}
	for _, name := range []string{"big", "s", "absent", "null"} {
		if _, ok := get(name).Number(); ok {
			t.Errorf("%s is no number", name)
		}
	}
	if l, ok := get("list").Strings(); !ok || !slices.Equal(l, []string{"a", "b"}) {
		t.Errorf("list: %q %v", l, ok)
	}
	if l, ok := get("none").Strings(); !ok || len(l) != 0 {
		t.Errorf("none: %q %v", l, ok)
	}
	for _, name := range []string{"mixed", "nested", "s", "o", "absent"} {
		if l, ok := get(name).Strings(); ok {
			t.Errorf("%s is no list of strings, but %q", name, l)
		}
	}
	if _, ok := get("absent").Object(); ok {
		t.Error("absent is no object")
	}
}

func TestPath(t *testing.T) {
	o := object(t, `{"groups":["g"],"realm_access":{"roles":["r"]},"https://example.com/roles":["u"],
		"resource_access":{"my-client":{"roles":["c"]},"my.client":{"roles":["d"]}},
		"a.b":["whole"],"a":{"b":["steps"],"x.y":["inner"]},"t":"text"}`)
	for _, c := range []struct{ path, want string }{
		{"groups", "g"},
		{"realm_access.roles", "r"},
		{"https://example.com/roles", "u"},
		{"resource_access.my-client.roles", "c"},
		{`resource_access.my\.client.roles`, "d"},
		{"resource_access.my.client.roles", ""},
		{"a.b", "whole"},
		{`a\.b`, "whole"},
		{`a.x\.y`, "inner"},
		{"a.x.y", ""},
		{"absent", ""},
		{"t.x", ""},
		{"groups.0", ""},
		{"Groups", ""},
	} {
		p, err := strictjson.ParsePath(c.path)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		v, _ := o.At(p)
		got, _ := v.Strings()
		if strings.Join(got, ",") != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
	for _, bad := range []string{"", ".", "a.", ".a", "a..b"} {
		if _, err := strictjson.ParsePath(bad); err == nil {
			t.Errorf("%q is taken for a path", bad)
		}
	}
	if v, ok := o.At(strictjson.Path{}); ok {
		t.Errorf("the zero path finds %q", v.Text())
	}
}

// FuzzParseObject holds that whatever is taken means the same to encoding/json.
func FuzzParseObject(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":[1,{"b":"\ud83d\udc08"}]}`, `{"a":1,"a":2}`, "{\"\xff\":1}", `{"a":1e400}`, `{"a":"\u0000"} x`,
		strings.Repeat(`{"a":`, 40),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := strictjson.ParseObject(text, 32)
		if err != nil {
			return
		}
		var theirs map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &theirs); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", text, err)
		}
		if len(theirs) != len(o) {
			t.Fatalf("%d members, encoding/json has %d", len(o), len(theirs))
		}
		for _, m := range o {
			raw, ok := theirs[m.Name]
			if !ok {
				t.Fatalf("encoding/json has no member %q", m.Name)
			}
			if string(raw) != m.Value.Text() {
				t.Fatalf("%q is %q, to encoding/json %q", m.Name, m.Value.Text(), raw)
			}
			if s, ok := m.Value.Str(); ok {
				var want string
				if err := json.Unmarshal(raw, &want); err != nil || s != want {
					t.Fatalf("%q is %q, to encoding/json %q (%v)", m.Name, s, want, err)
				}
			}
			m.Value.Number()
			m.Value.Strings()
			m.Value.Object()
		}
	})
}

// FuzzPath holds that no path makes At fail, and that a plain name finds its member.
func FuzzPath(f *testing.F) {
	f.Add("a.b", `{"a":{"b":1}}`)
	f.Add(`a\.b`, `{"a.b":1}`)
	f.Add("https://example.com/roles", `{"https://example.com/roles":[]}`)
	f.Fuzz(func(t *testing.T, path, text string) {
		p, err := strictjson.ParsePath(path)
		if err != nil {
			return
		}
		o, err := strictjson.ParseObject(text, 32)
		if err != nil {
			return
		}
		v, ok := o.At(p)
		if whole, found := o.Get(path); found && (!ok || v != whole) {
			t.Fatalf("%q: the member of that very name is not found", path)
		}
	})
}

func BenchmarkParseObject(b *testing.B) {
	text := `{"exp":1700000600,"iat":1700000000,"jti":"onrtac:7cd7","iss":"https://idp.example.com/realms/cat","aud":["catflap","account"],` +
		`"sub":"a11ce000-0000-4000-8000-000000000001","typ":"Bearer","azp":"catflap","realm_access":{"roles":["default-roles-cat","cat-admin"]},` +
		`"scope":"openid profile email","email_verified":true,"name":"Alice Tester","email":"alice@example.test"}`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.ParseObject(text, 32); err != nil {
			b.Fatal(err)
		}
	}
}
