package jwt_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/catflap/catflap/authhandlers/authtest/issuer"
)

// form makes a row whose token has another shape. Rows that only the proxy's
// reading of the Authorization field decides are false.
func (b *bench) form(t *testing.T, r row, claims map[string]any, h, p []byte) (string, bool) {
	t.Helper()
	k := b.keys["rsa1"]
	good := issuer.SignRaw(k, h, p)
	part := strings.Split(good, ".")
	padded := func(n int) string { // a good token of exactly n bytes, or one less
		claims["pad"] = ""
		n -= len(issuer.SignRaw(k, h, encode(t, claims)))
		claims["pad"] = strings.Repeat("x", n*3/4)
		return issuer.SignRaw(k, h, encode(t, claims))
	}
	five := func(header string) string {
		return strings.Join([]string{b64([]byte(header)), "", b64([]byte("iv")), b64([]byte("text")), b64([]byte("tag"))}, ".")
	}
	switch r.ID {
	case "jw-160":
		return part[0] + "=." + part[1] + "=." + part[2] + "=", true
	case "jw-161":
		// Until the signature holds a character that the alphabets differ in.
		for !strings.ContainsAny(part[2], "-_") {
			claims["jti"] = claims["jti"].(string) + "x"
			part = strings.Split(issuer.SignRaw(k, h, encode(t, claims)), ".")
		}
		return part[0] + "." + part[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(part[2]), true
	case "jw-162":
		return part[0] + ". " + part[1] + "." + part[2], true
	case "jw-163":
		return part[0] + "." + part[1][:8] + "\n" + part[1][8:] + "." + part[2], true
	case "jw-164":
		return " " + good, true
	case "jw-165", "jw-196", "jw-197":
		return "", false
	case "jw-166":
		return spareBits(t, good), true
	case "jw-167":
		return good[:len(good)-4], true
	case "jw-168":
		return part[0] + "." + part[1] + ".", true
	case "jw-169":
		return part[0] + "." + part[1], true
	case "jw-170":
		return good + ".x", true
	case "jw-171":
		return five(`{"alg":"dir","enc":"A256GCM"}`), true
	case "jw-172":
		return five(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"c2FsdA"}`), true
	case "jw-173":
		return five(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"rsa1"}`), true
	case "jw-174":
		text, err := json.Marshal(map[string]string{"protected": part[0], "payload": part[1], "signature": part[2]})
		if err != nil {
			t.Fatal(err)
		}
		return string(text), true
	case "jw-175":
		return "." + good, true
	case "jw-176":
		return "", true
	case "jw-177":
		return "..", true
	case "jw-178":
		return strings.Repeat(".", 60000), true
	case "jw-179":
		return padded(65536), true
	case "jw-180":
		return padded(7900), true
	case "jw-181":
		token := padded(16384 + 4)
		if len(token) < 16385 {
			t.Fatalf("%d bytes are within the limit", len(token))
		}
		return token, true
	case "jw-192":
		return good + "\x00", true
	case "jw-193":
		return good + "é", true
	case "jw-194":
		return good + ", " + good, true
	case "jw-195":
		return "Bearer " + good, true
	case "jw-198":
		return `"` + good + `"`, true
	}
	switch r.ID {
	case "jw-182":
		p = slicesOf("[", p, "]")
	case "jw-183":
		p = []byte(`"alice"`)
	case "jw-184":
		p = nil
	case "jw-185":
		p = slicesOf("", p, " {}")
	case "jw-186":
		p = slicesOf("\xef\xbb\xbf", p, "")
	case "jw-187":
		var wide []byte
		for _, u := range utf16.Encode([]rune(string(p))) {
			wide = append(wide, byte(u), byte(u>>8))
		}
		p = wide
	case "jw-188":
		// Within the size limit there is room for 6,000 brackets.
		p = slicesOf(`{"x":`+strings.Repeat("[", 6000/2)+strings.Repeat("]", 6000/2)+",", p[1:], "")
	case "jw-189":
		h = []byte("xxx")
	case "jw-190":
		h = []byte("[]")
	case "jw-191":
		h = slicesOf("", h, "{}")
	default:
		t.Fatalf("%s: unknown form %q", r.ID, *r.Form)
	}
	return issuer.SignRaw(k, h, p), true
}

func slicesOf(before string, b []byte, after string) []byte {
	return bytes.Join([][]byte{[]byte(before), b, []byte(after)}, nil)
}

// spareBits changes the last character where it holds no data: 256 bytes of an
// RSA signature end in four idle bits.
func spareBits(t *testing.T, token string) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	at := strings.IndexByte(alphabet, token[len(token)-1])
	altered := token[:len(token)-1] + alphabet[at|1:at|1+1]
	sig := func(token string) string {
		b, err := base64.RawURLEncoding.DecodeString(token[strings.LastIndexByte(token, '.')+1:])
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if altered == token || sig(altered) != sig(token) {
		t.Fatal("the alteration is none")
	}
	return altered
}
