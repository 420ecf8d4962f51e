package attributes_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/catflap/catflap/proxy/attributes"
)

const ours = `"catflap_attributes":"TOKEN"`

func TestRewrite(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", `{}`, `{` + ours + `}`},
		{"spaces", " {\n } \n", `{` + ours + `}`},
		{"one", `{"text":"hi"}`, `{"text":"hi",` + ours + `}`},
		{"values", `{"a":[1,{"b":"}"}],"c":null,"d":-1.5e3 , "e":"\"}\\"}`, `{"a":[1,{"b":"}"}],"c":null,"d":-1.5e3 ,"e":"\"}\\",` + ours + `}`},
		{"the client's own", `{"text":"hi","catflap_attributes":"forged"}`, `{"text":"hi",` + ours + `}`},
		{"first", `{"catflap_attributes":"forged","text":"hi"}`, `{"text":"hi",` + ours + `}`},
		{"alone", `{"catflap_attributes":"forged"}`, `{` + ours + `}`},
		{"twice", `{"catflap_attributes":"forged","text":"hi","catflap_attributes":{"a":[1,2,"}"]}}`, `{"text":"hi",` + ours + `}`},
		{"capital", `{"Catflap_Attributes":1,"CATFLAP_ATTRIBUTES":2,"text":"hi"}`, `{"text":"hi",` + ours + `}`},
		{"escaped", `{"c\u0061tflap_attributes":1,"\u0063\u0061\u0074\u0066\u006C\u0061\u0070\u005f\u0061\u0074\u0074\u0072\u0069\u0062\u0075\u0074\u0065\u0073":2,"text":"hi"}`, `{"text":"hi",` + ours + `}`},
		{"folded", `{"catflap_attribute\u017f":1,"catflap_attributeſ":2}`, `{` + ours + `}`},
		{"spaces about it", `{ "catflap_attributes" : "x" , "text" : "hi" }`, `{"text": "hi" ,` + ours + `}`},
		{"deeper", `{"text":{"catflap_attributes":"x"}}`, `{"text":{"catflap_attributes":"x"},` + ours + `}`},
		{"others", `{"catflap_attributes2":1,"":2,"\"":3}`, `{"catflap_attributes2":1,"":2,"\"":3,` + ours + `}`},
		{"a long key", `{"` + strings.Repeat("k", 500) + `":1,"x":2}`, `{"` + strings.Repeat("k", 500) + `":1,"x":2,` + ours + `}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := attributes.Rewrite([]byte(c.in), "TOKEN")
			if err != nil || string(got) != c.want {
				t.Errorf("%s, %v\nwant %s", got, err, c.want)
			}
			streamed, err := io.ReadAll(iotest.OneByteReader(attributes.NewReader(iotest.OneByteReader(strings.NewReader(c.in)), "TOKEN")))
			if err != nil || string(streamed) != c.want {
				t.Errorf("in pieces: %s, %v", streamed, err)
			}
		})
	}
}

// TestNotAnObject: whatever could be read in two ways is refused. The Cat reads UTF-16 over
// HTTP, too.
func TestNotAnObject(t *testing.T) {
	for _, in := range []string{
		"", " ", "hello", `"text"`, "[]", "null", `{"a":1`, `{"a"`, `{"a":"1}`, `{,}`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{"a":1}}`, `{"a":1}{"catflap_attributes":"x"}`,
		`{"a":1} x`, "\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", "{\x00}\x00", "\x00{\x00}", "{\x00\x00\x00}\x00\x00\x00", "/**/{}", "{'a':1}", "{\v}",
	} {
		if got, err := attributes.Rewrite([]byte(in), "TOKEN"); !errors.Is(err, attributes.ErrNotObject) {
			t.Errorf("%q becomes %q, %v", in, got, err)
		}
		r := attributes.NewReader(strings.NewReader(in), "TOKEN")
		if _, err := io.ReadAll(r); !errors.Is(err, attributes.ErrNotObject) || r.Err() == nil {
			t.Errorf("%q in pieces: %v", in, err)
		}
	}
}

func TestReaderPassesFailures(t *testing.T) {
	broken := errors.New("broken")
	r := attributes.NewReader(io.MultiReader(strings.NewReader(`{"a":1`), iotest.ErrReader(broken)), "TOKEN")
	if _, err := io.ReadAll(r); !errors.Is(err, broken) || r.Err() != nil {
		t.Errorf("%v, %v", err, r.Err())
	}
}

// FuzzRewrite holds: a reader of the result finds the token under its key alone, and all
// else as it was; in pieces it is the same.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{`{"text":"hi"}`, `{"catflap_attributes":"x","a":{"b":[1,"}"]}}`, `{"c\u0061tflap_attributes":1,"text":"\\"}`, `{"a":[}`, `{}`} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		got, err := attributes.Rewrite(bytes.Clone(in), "TOKEN")
		roomy, tight := attributes.Rewrite(append(make([]byte, 0, len(in)+256), in...), "TOKEN")
		if (err == nil) != (tight == nil) || !bytes.Equal(got, roomy) {
			t.Fatalf("without room %q, %v; with room %q, %v", got, err, roomy, tight)
		}
		streamed, failed := io.ReadAll(attributes.NewReader(&chunks{in, max(1, size)}, "TOKEN"))
		if (err == nil) != (failed == nil) || err == nil && !bytes.Equal(got, streamed) {
			t.Fatalf("whole %q, %v; in pieces %q, %v", got, err, streamed, failed)
		}
		if err == nil && len(got) > len(in)+attributes.Room("TOKEN") {
			t.Errorf("%d bytes become %d", len(in), len(got))
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal(in, &before) == nil && before != nil && err != nil {
			t.Fatalf("%q is refused: %v", in, err)
		}
		if err != nil || json.Unmarshal(got, &after) != nil {
			return
		}
		for k, v := range after {
			if strings.EqualFold(k, "catflap_attributes") && (k != "catflap_attributes" || string(v) != `"TOKEN"`) {
				t.Errorf("%q becomes %q", in, got)
			}
		}
		if n := strings.Count(string(got), `"TOKEN"`); n == 0 {
			t.Errorf("%q becomes %q", in, got)
		}
		for k, v := range before {
			if !strings.EqualFold(k, "catflap_attributes") && !bytes.Equal(bytes.TrimSpace(after[k]), bytes.TrimSpace(v)) {
				t.Errorf("%q: %q was %q and is %q", in, k, v, after[k])
			}
		}
	})
}

// chunks are read in pieces of one size.
type chunks struct {
	left []byte
	size int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(c.size, len(p))], c.left)
	c.left = c.left[n:]
	return n, nil
}

// TestRewriteWithRoom holds that the token, written into the room behind a message, does not
// stand in the way of what ends the message.
func TestRewriteWithRoom(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a line end", "{\"text\":\"hi\"}\n", `{"text":"hi",` + ours + `}`},
		{"many", `{"text":"hi"}` + strings.Repeat(" \r\n", 50), `{"text":"hi",` + ours + `}`},
		{"empty", "{}\n", `{` + ours + `}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := append(make([]byte, 0, len(c.in)+attributes.Room("TOKEN")+64), c.in...)
			got, err := attributes.Rewrite(in, "TOKEN")
			if err != nil || string(got) != c.want {
				t.Errorf("%s, %v\nwant %s", got, err, c.want)
			}
		})
	}
	in := append(make([]byte, 0, 256), `{"text":"hi"}{"catflap_attributes":"x"}`...)
	if got, err := attributes.Rewrite(in, "TOKEN"); !errors.Is(err, attributes.ErrNotObject) {
		t.Errorf("what follows the object becomes %q, %v", got, err)
	}
}
