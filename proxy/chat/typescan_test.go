package chat

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers"
)

// escaped spells each letter of a text as an escape.
func escaped(text string) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteString(`\u00` + string("0123456789abcdef"[c>>4]) + string("0123456789ABCDEF"[c&15]))
	}
	return b.String()
}

// wideOf is a text in units of this many bytes.
func wideOf(text string, size int, little, mark bool) []byte {
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var b []byte
	for _, u := range units {
		unit := make([]byte, size)
		if little {
			unit[0], unit[1] = byte(u), byte(u>>8)
		} else {
			unit[size-1], unit[size-2] = byte(u), byte(u>>8)
		}
		b = append(b, unit...)
	}
	return b
}

// tokenSpellings are frames of our type, by what is odd about them.
func tokenSpellings() map[string]string {
	const plain = `{"token":"bad","type":"catflap.token"}`
	long := strings.Repeat("x", 2*copyBufferSize)
	list := map[string]string{
		"plain":                 `{"type":"catflap.token","token":"bad"}`,
		"sorted":                plain,
		"spaces":                " \r\n\t{ \"token\" : \"bad\" ,\n\"type\"\t:\r\"catflap.token\" } ",
		"escaped type":          `{"token":"bad","type":"` + escaped("catflap.token") + `"}`,
		"escaped key":           `{"` + escaped("type") + `":"catflap.token","token":"bad"}`,
		"half escaped":          `{"token":"bad","t\u0079pe":"catflap\u002etoken"}`,
		"a mark":                "\ufeff" + plain,
		"twice, ours last":      `{"type":"x","type":"catflap.token","token":"bad"}`,
		"twice, ours first":     `{"type":"catflap.token","type":"x","token":"bad"}`,
		"numbers of Python":     `{"a":NaN,"b":-Infinity,"type":"catflap.token","token":"bad"}`,
		"behind what is nested": `{"a":{"type":"x","b":["]","}",{}]},"token":"bad","type":"catflap.token"}`,
		"behind a quote":        `{"a\"":"\\","token":"bad","type":"catflap.token"}`,
		"two values":            plain + plain,
		"two values, ours last": `{"text":"a"}` + plain,
		"something behind it":   plain + `]x`,
		"cut":                   `{"token":"bad","type":"catflap.token"`,
		"no object in it":       `{"type":"catflap.token"}`,
		"at the end":            `{"text":"` + long + `","token":"bad","type":"catflap.token"}`,
		"at the end of a piece": `{"text":"` + strings.Repeat("x", copyBufferSize-20) + `","type":"catflap.token"}`,
	}
	for name, b := range map[string][]byte{
		"UTF-16LE": wideOf(plain, 2, true, false), "UTF-16BE": wideOf(plain, 2, false, false),
		"UTF-16LE, a mark": wideOf(plain, 2, true, true), "UTF-16BE, a mark": wideOf(plain, 2, false, true),
		"UTF-32LE": wideOf(plain, 4, true, false), "UTF-32BE": wideOf(plain, 4, false, false),
		"UTF-32LE, a mark": wideOf(plain, 4, true, true), "UTF-32BE, a mark": wideOf(plain, 4, false, true),
		"UTF-16LE, letters of two quotes": wideOf(`{"∢":"尢","type":"catflap.token"}`, 2, true, false),
	} {
		list[name] = string(b)
	}
	return list
}

// TestATokenFrameHoweverWritten never reaches the Cat, in text or binary, whole or in
// fragments, in both modes.
func TestATokenFrameHoweverWritten(t *testing.T) {
	inBothModes(t, func(t *testing.T, set Settings) {
		l, c := newCatLab(t, Options{Settings: set})
		l.hub.o.Reauthenticate = func(context.Context, *authhandlers.AuthUserInfo, string) (*authhandlers.AuthUserInfo, error) {
			return nil, &authhandlers.Rejection{}
		}
		for name, frame := range tokenSpellings() {
			for _, kind := range []int{websocket.TextMessage, websocket.BinaryMessage} {
				if kind == websocket.TextMessage && strings.HasPrefix(name, "UTF-") {
					continue
				}
				for _, cut := range []int{0, 1, 7, len(frame) / 2} {
					w := l.open(t, "/alice")
					sendIn(t, w, kind, []byte(frame), cut)
					if code, reason := closedWith(t, w); code != CodeSignedOut && code != websocket.ClosePolicyViolation {
						t.Errorf("%s, kind %d, cut at %d: %d %s", name, kind, cut, code, reason)
					}
					_ = w.Close()
				}
			}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.frames != 0 {
			t.Errorf("the Cat got %d frames", c.frames)
		}
	})
}

// sendIn sends a message in two fragments.
func sendIn(t *testing.T, w *websocket.Conn, kind int, p []byte, cut int) {
	t.Helper()
	b := append(clientFrame(kind, p[:cut]), clientFrame(0x80, p[cut:])...)
	_, _ = w.NetConn().Write(b) // it may be closed already
}

// clientFrame makes a frame that is masked with zeros.
func clientFrame(first int, p []byte) []byte {
	b := binary.BigEndian.AppendUint64([]byte{byte(first), 0x80 | 127}, uint64(len(p)))
	return append(append(b, 0, 0, 0, 0), p...)
}

// TestWhatIsNoTokenFrame reaches the Cat as it is.
func TestWhatIsNoTokenFrame(t *testing.T) {
	for _, frame := range []string{
		``, `{`, `{}`, `null`, `"catflap.token"`, `[{"type":"catflap.token"}]`, `{"text":"catflap.token"}`, `{"type":"catflap.tokens"}`,
		`{"type":{"type":"catflap.token"}}`, `{"type":["catflap.token"]}`, `{"a":"type","b":"catflap.token"}`, `{"Type":"catflap.token"}`,
		`{"text":"{\"type\":\"catflap.token\"}"}`, `{"type":"Catflap.token"}`, `{"type":"catflap.to` + "\u212a" + `en"}`,
		`{"text":"\\","x":"\"type\":\"catflap.token\""}`, `{"type":"chat","a":"catflap.token"}`, `{"type" "catflap.token"}`,
	} {
		if isTokenFrame([]byte(frame)) {
			t.Errorf("%s is taken for one", frame)
		}
	}
}

// FuzzTokenFrame compares with a reader of the library that takes either of two keys
// that are the same, as Python's does; and the pieces do not matter.
func FuzzTokenFrame(f *testing.F) {
	for _, frame := range tokenSpellings() {
		f.Add([]byte(frame), 3)
	}
	for _, frame := range []string{``, `{"type":{"type":"catflap.token"}}`, `{"a":[1,{"b":"\\"}],"type":"\u0063atflap.token"}`} {
		f.Add([]byte(frame), 1)
	}
	f.Fuzz(func(t *testing.T, p []byte, size int) {
		got := isTokenFrame(p)
		if want, valid := hasTokenType(p); valid && want != got || want && !got {
			t.Errorf("%q: %v, but it is %v", p, got, want)
		}
		s := tokenScan()
		for size = max(size, 1); len(p) > 0; p = p[min(size, len(p)):] {
			s.write(p[:min(size, len(p))])
		}
		if s.found != got {
			t.Errorf("%q in pieces of %d: %v", p, size, s.found)
		}
	})
}

// hasTokenType says whether a JSON object has the type, as any of its keys.
func hasTokenType(p []byte) (has, valid bool) {
	if !json.Valid(p) {
		return false, false
	}
	d := json.NewDecoder(bytes.NewReader(p))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return false, true
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return false, false
		}
		var value any
		if d.Decode(&value) != nil {
			return false, false
		}
		has = has || key == "type" && value == tokenType
	}
	return has, true
}

// BenchmarkTokenFrame is what the look costs an ordinary message.
func BenchmarkTokenFrame(b *testing.B) {
	for name, text := range map[string]string{"short": "how are you?", "16 KiB": strings.Repeat("how are you? ", 1200)} {
		frame := []byte(`{"text":"` + text + `"}`)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if isTokenFrame(frame) {
					b.Fatal()
				}
			}
		})
	}
}
