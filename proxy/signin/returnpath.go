package signin

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// root is what ReturnPath makes of an address that is not kept.
const root = "/"

// maxReturn bounds a return path. It travels to the provider and back.
const maxReturn = 1024

// maxEncoded is how many times over a return path may be encoded. Nobody's is more
// than twice; what is cannot be judged without decoding it to the end.
const maxEncoded = 3

// ReturnPath makes a text of a stranger's an address below our own origin: a path
// with its query. Whatever a browser or anything between could read as another
// place, and whatever would lead in a circle, becomes "/" (RFC 9700 §4.11).
func ReturnPath(text string, own func(path string) bool) string {
	if len(text) > maxReturn || text == "" || text[0] != '/' || !plain(text) {
		return root
	}
	path, _, _ := strings.Cut(text, "?")
	decoded := path
	for times := 0; ; times++ { // one who decodes again must not find another place
		next, err := url.PathUnescape(decoded)
		if err != nil || !clean(next) || strings.Contains(next, "//") || times > maxEncoded {
			return root
		}
		if next == decoded {
			break
		}
		decoded = next
	}
	first, _, _ := strings.Cut(decoded[1:], "/")
	if strings.ContainsAny(first, "@:") || own(decoded) {
		return root
	}
	return text
}

// plain reports a text without what browsers drop, turn around or end an address
// with: white space, controls, backslashes, fragments, and anything beyond ASCII,
// which they write as they please.
func plain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte("\\#<>\"^`{|}", c) >= 0 {
			return false
		}
	}
	return true
}

// clean is plain for a path that has been decoded, which may have letters of any
// language and blanks within a segment, but no segment that means another place.
func clean(path string) bool {
	for _, r := range path {
		if r == utf8.RuneError || r == '\\' || unicode.IsControl(r) || r != ' ' && unicode.IsSpace(r) {
			return false
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if bare, _, _ := strings.Cut(segment, ";"); bare == "." || bare == ".." || strings.TrimSpace(segment) != segment {
			return false
		}
	}
	return true
}
