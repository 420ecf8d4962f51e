package chat

import (
	"bytes"
	"encoding/json"

	"github.com/catflap/catflap/proxy/cat"
)

// maxRaw is the longest spelling of a name that is looked for: each letter an escape.
const maxRaw = 6 * len(tokenType)

// typeScan looks for a type at the top level of a JSON object that comes in pieces. It
// takes every spelling that some JSON reader takes: any order and number of keys, escapes,
// spaces, a byte order mark, and what is no JSON elsewhere. It keeps nothing of what it
// has read but a name that is not at its end.
type typeScan struct {
	names  [2]string // the types that are looked for
	wide   wide
	depth  int
	begun  bool // the first brace was seen
	other  bool // it is no object: nothing is looked for
	found  bool
	inText bool
	escape bool // the next byte is an escaped one
	long   bool // the text is too long to be one that matters
	value  bool // a colon came: the next text is a value
	isType bool // and its key is "type"
	last   bool // the last text may be the key "type"
	raw    [maxRaw]byte
	n      int
}

// tokenScan looks for our own type.
func tokenScan() typeScan { return typeScan{names: [2]string{tokenType, tokenType}} }

// turnScan looks for the types that end a turn.
func turnScan() typeScan { return typeScan{names: [2]string{cat.FrameChat, cat.FrameError}} }

// isTokenFrame reports whether a whole message is one of our own.
func isTokenFrame(message []byte) bool {
	s := tokenScan()
	s.write(message)
	return s.found
}

// write scans a piece, and reports whether more of the message could matter.
func (s *typeScan) write(p []byte) bool {
	if s.found || s.other {
		return false
	}
	if p = s.wide.narrow(p); !s.begun {
		p = s.begin(p)
	}
	for len(p) > 0 && !s.found && !s.other {
		if s.inText {
			p = s.text(p)
			continue
		}
		s.structure(p[0])
		p = p[1:]
	}
	return !s.found && !s.other
}

// isObject reports whether the message began as an object does.
func (s *typeScan) isObject() bool { return s.begun && !s.other }

// begin skips what may stand before an object.
func (s *typeScan) begin(p []byte) []byte {
	p = bytes.TrimLeft(p, " \t\r\n\v\f\xef\xbb\xbf\xfe\xff\x00")
	if len(p) > 0 {
		s.begun, s.other = true, p[0] != '{'
	}
	return p
}

func (s *typeScan) structure(c byte) {
	switch c {
	case '"':
		s.inText, s.n, s.long = true, 0, s.depth != 1
	case '{', '[':
		s.depth++
		s.value = false
	case '}', ']':
		s.depth = max(s.depth-1, 0)
		s.value = false
	case ':':
		s.value, s.isType = s.depth == 1, s.last
	case ',':
		s.value, s.last = false, false
	}
}

// text scans within a text, and returns what is left behind it.
func (s *typeScan) text(p []byte) []byte {
	if s.escape {
		s.escape = false
		s.keep(p[:1])
		return p[1:]
	}
	end := bytes.IndexByte(p, '"')
	if end < 0 {
		end = len(p)
	}
	if i := bytes.IndexByte(p[:end], '\\'); i >= 0 {
		s.escape = true
		s.keep(p[:i+1])
		return p[i+1:]
	}
	s.keep(p[:end])
	if end == len(p) {
		return nil
	}
	s.inText = false
	s.ended()
	return p[end+1:]
}

// keep keeps a part of a text that may be one that matters.
func (s *typeScan) keep(p []byte) {
	if s.long = s.long || s.n+len(p) > len(s.raw); !s.long {
		s.n += copy(s.raw[s.n:], p)
	}
}

// ended follows the end of a text.
func (s *typeScan) ended() {
	switch {
	case s.depth != 1:
	case s.value:
		s.found = s.isType && (s.is(s.names[0]) || s.is(s.names[1]))
		s.value = false
	default:
		s.last = s.is("type")
	}
}

// is reports whether the text is the name, however it is spelt.
func (s *typeScan) is(name string) bool {
	raw := s.raw[:s.n]
	if s.long || bytes.IndexByte(raw, '\\') < 0 {
		return !s.long && string(raw) == name
	}
	var text string
	quoted := append(append([]byte{'"'}, raw...), '"')
	return json.Unmarshal(quoted, &text) == nil && text == name
}
