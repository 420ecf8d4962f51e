package value

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrUnfit means that a secret holds what its owner does not mean to be a part of it.
// Nothing that is wrong with a secret repeats it.
var ErrUnfit = errors.New("the secret is not written alone")

type unfitError struct{ text string }

func (e *unfitError) Error() string        { return e.text }
func (e *unfitError) Is(target error) bool { return target == ErrUnfit }

// unfit says what stands around a secret or inside it that an editor, a shell or a
// file of variables has put there. A Cat that holds the same secret without it
// refuses each request, for no reason that shows. Bytes that are no text are random
// ones, and are taken as they are.
func unfit(secret []byte) string {
	switch {
	case bytes.HasPrefix(secret, []byte("\ufeff")):
		return "it begins with a byte order mark; save it as UTF-8 without one"
	case wide(secret):
		return "it is UTF-16; save it as UTF-8"
	case !utf8.Valid(secret):
		return ""
	}
	text := string(secret)
	switch hidden := func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }; {
	case strings.ContainsAny(text, "\r\n"):
		return "it holds more than one line; write the secret alone, on one line"
	case strings.TrimSpace(text) != text:
		return "white space stands around it; remove it"
	case strings.ContainsFunc(text, hidden):
		return "it holds a character that can't be seen; make a new one with `openssl rand -hex 32`"
	case quoted(text):
		return "quotes stand around it; write it without them: here they are a part of it"
	}
	return ""
}

// wide reports UTF-16, which Windows PowerShell writes.
func wide(b []byte) bool {
	marked := bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff"))
	return marked && bytes.IndexByte(b, 0) >= 0
}

func quoted(text string) bool {
	for _, pair := range [...]string{`""`, "''", "``", "“”", "‘’", "„“", "«»"} {
		marks := []rune(pair)
		if inner, ok := strings.CutPrefix(text, string(marks[0])); ok && strings.HasSuffix(inner, string(marks[1])) {
			return true
		}
	}
	return false
}
