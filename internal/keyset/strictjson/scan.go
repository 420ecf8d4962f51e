package strictjson

import (
	"fmt"
	"unicode/utf8"
)

// Error says where a text is no JSON as this package wants it. It holds nothing
// of the text.
type Error struct {
	Offset  int
	Problem string
}

func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Problem, e.Offset) }

// manyNames is where finding a name twice changes from comparing to a map.
const manyNames = 16

// scanner proves a text in one pass.
type scanner struct {
	text  string
	pos   int
	depth int
	// names of the objects that are open, those of the innermost last.
	names []string
}

func (s *scanner) fail(problem string) error { return &Error{Offset: s.pos, Problem: problem} }

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// take consumes c if it is next.
func (s *scanner) take(c byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) value() error {
	if s.pos == len(s.text) {
		return s.fail("no value")
	}
	switch c := s.text[s.pos]; {
	case c == '{':
		return s.object(nil)
	case c == '[':
		return s.array(nil)
	case c == '"':
		_, _, err := s.str()
		return err
	case c == '-', '0' <= c && c <= '9':
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.fail("no value")
}

func (s *scanner) word(w string) error {
	if len(s.text)-s.pos < len(w) || s.text[s.pos:s.pos+len(w)] != w {
		return s.fail("no value")
	}
	s.pos += len(w)
	return nil
}

// object proves an object; each member is given to keep, if there is one.
func (s *scanner) object(keep func(name string, v Value)) error {
	if s.depth--; s.depth < 0 {
		return s.fail("nested too deeply")
	}
	s.pos++ // the brace
	base := len(s.names)
	var seen map[string]struct{}
	s.space()
	for !s.take('}') {
		if len(s.names) > base {
			if !s.take(',') {
				return s.fail("no comma between members")
			}
			s.space()
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		if seen, err = s.once(seen, base, name); err != nil {
			return err
		}
		s.space()
		if !s.take(':') {
			return s.fail("no colon after a name")
		}
		s.space()
		start := s.pos
		if err := s.value(); err != nil {
			return err
		}
		if keep != nil {
			keep(name, Value{s.text[start:s.pos]})
		}
		s.space()
	}
	s.names = s.names[:base]
	s.depth++
	return nil
}

// name reads a member's name, unescaped: "a" and "\u0061" are one.
func (s *scanner) name() (string, error) {
	if s.pos == len(s.text) || s.text[s.pos] != '"' {
		return "", s.fail("no member name")
	}
	inner, escaped, err := s.str()
	if err != nil || !escaped {
		return inner, err
	}
	return unescape(inner), nil
}

// once records a name of the object whose names begin at base.
func (s *scanner) once(seen map[string]struct{}, base int, name string) (map[string]struct{}, error) {
	names := s.names[base:]
	if seen == nil && len(names) >= manyNames {
		seen = make(map[string]struct{}, 2*manyNames)
		for _, n := range names {
			seen[n] = struct{}{}
		}
	}
	twice := false
	if seen != nil {
		_, twice = seen[name]
		seen[name] = struct{}{}
	} else {
		for _, n := range names {
			twice = twice || n == name
		}
	}
	if twice {
		return nil, s.fail("a member name appears twice")
	}
	s.names = append(s.names, name)
	return seen, nil
}

// array proves an array; each element is given to keep, if there is one.
func (s *scanner) array(keep func(v Value)) error {
	if s.depth--; s.depth < 0 {
		return s.fail("nested too deeply")
	}
	s.pos++ // the bracket
	s.space()
	for first := true; !s.take(']'); first = false {
		if !first {
			if !s.take(',') {
				return s.fail("no comma between elements")
			}
			s.space()
		}
		start := s.pos
		if err := s.value(); err != nil {
			return err
		}
		if keep != nil {
			keep(Value{s.text[start:s.pos]})
		}
		s.space()
	}
	s.depth++
	return nil
}

// number proves RFC 8259 §6; what it means is for the reader to say.
func (s *scanner) number() error {
	s.take('-')
	if !s.take('0') && s.digits() == 0 {
		return s.fail("no number")
	}
	if s.take('.') && s.digits() == 0 {
		return s.fail("no number")
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if s.digits() == 0 {
			return s.fail("no number")
		}
	}
	return nil
}

func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}

// str proves a string and returns what is between its quotes, still escaped.
func (s *scanner) str() (inner string, escaped bool, err error) {
	s.pos++ // the quote
	start := s.pos
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return s.text[start : s.pos-1], escaped, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return "", false, err
			}
		case c < 0x20:
			return "", false, s.fail("a bare control character")
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, n := utf8.DecodeRuneInString(s.text[s.pos:])
			if r == utf8.RuneError && n < 2 {
				return "", false, s.fail("no UTF-8")
			}
			s.pos += n
		}
	}
	return "", false, s.fail("a string without end")
}

// escape proves one escape. A surrogate is taken only as a pair: alone it has no
// UTF-8, and decoders disagree on what to put instead.
func (s *scanner) escape() error {
	rest := s.text[s.pos:]
	if len(rest) < 2 {
		return s.fail("a string without end")
	}
	switch rest[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return nil
	case 'u':
		_, n := unicodeEscape(rest)
		if n == 0 {
			return s.fail("a bad or lone \\u escape")
		}
		s.pos += n
		return nil
	}
	return s.fail("an unknown escape")
}
