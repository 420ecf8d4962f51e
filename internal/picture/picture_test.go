package picture

import "testing"

func TestType(t *testing.T) {
	const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`
	for _, c := range []struct{ name, content, want string }{
		{"png", "\x89PNG\r\n\x1a\n...", "image/png"},
		{"jpeg", "\xff\xd8\xff\xe0...", "image/jpeg"},
		{"gif", "GIF89a...", "image/gif"},
		{"old gif", "GIF87a...", "image/gif"},
		{"webp", "RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"},
		{"svg", drawing, "image/svg+xml"},
		{"svg with a prologue", "\ufeff<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!-- a cat -->\n<!DOCTYPE svg>\n" + drawing, "image/svg+xml"},
		{"svg with a prefix", `<s:svg xmlns:s="http://www.w3.org/2000/svg"></s:svg>`, "image/svg+xml"},
		{"svg that browsers take for nothing", `<svg viewBox="0 0 1 1"/>`, ""},
		{"page that holds an svg", `<html xmlns="http://www.w3.org/1999/xhtml">` + drawing + `</html>`, ""},
		{"wave", "RIFF\x00\x00\x00\x00WAVEfmt ", ""},
		{"short webp", "RIFF\x00\x00\x00\x00WEB", ""},
		{"text", "GIF", ""},
		{"nothing", "", ""},
	} {
		if got := Type([]byte(c.content)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
