package telemetry

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// shown writes lines in which each character is seen as what it is. A stranger's text
// can hold some that turn the order of a line around, hide in it, or end it for a
// reader: they become JSON's escapes, which mean the same to a program. The text form
// has quoted them before they come here.
type shown struct{ to io.Writer }

// Write takes one whole line.
func (s shown) Write(line []byte) (int, error) {
	if at := bytes.IndexFunc(line, hidden); at >= 0 {
		escaped := bytes.Clone(line[:at])
		for rest := line[at:]; len(rest) > 0; {
			r, size := utf8.DecodeRune(rest)
			if hidden(r) {
				escaped = appendEscape(escaped, r)
			} else {
				escaped = append(escaped, rest[:size]...)
			}
			rest = rest[size:]
		}
		if _, err := s.to.Write(escaped); err != nil {
			return 0, err
		}
		return len(line), nil
	}
	return s.to.Write(line)
}

// hidden reports what is no letter, mark, digit or sign that stands where it is: bidi
// and other format characters, separators of lines, and controls beyond ASCII's, which
// slog escapes.
func hidden(r rune) bool { return r >= 0x7f && !unicode.IsPrint(r) }

func appendEscape(b []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}
