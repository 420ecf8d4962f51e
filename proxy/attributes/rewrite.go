package attributes

import (
	"encoding/json"
	"errors"
	"strings"
)

// ErrNotObject means that a message is no JSON object, or could be read in another way.
var ErrNotObject = errors.New("a message to the Cat is a JSON object")

// maxKey is longer than any spelling of MessageKey: each letter an escape, and a letter
// that folds to one of it.
const maxKey = 8 * len(MessageKey)

// place is where in the outermost object a rewriter is.
type place uint8

const (
	before    place = iota // the object
	first                  // the first key, or the end
	next                   // a key that follows a comma
	inKey                  // which may be ours
	inLongKey              // which is not
	behindKey              // the colon
	inValue
	behind // the object
)

// rewriter puts a token into a JSON object that comes in pieces, and leaves out what
// stands in it under the same key already, however that is spelt and how often. As JSON the
// result has the one that was put in. It holds nothing but a key.
type rewriter struct {
	pair    string // what is put in
	at      place
	depth   int // within the value
	text    bool
	escaped bool
	drop    bool // the pair is left out
	some    bool // a pair was passed on
	key     [maxKey]byte
	n       int
}

func newRewriter(token string) rewriter {
	return rewriter{pair: `"` + MessageKey + `":"` + token + `"`}
}

// write appends what becomes of p to dst.
func (r *rewriter) write(dst, p []byte) ([]byte, error) {
	for len(p) > 0 {
		var n int
		switch r.at {
		case inKey, inLongKey:
			dst, n = r.readKey(dst, p)
		case inValue:
			dst, n = r.readValue(dst, p)
		default:
			var ok bool
			if dst, ok = r.between(dst, p[0]); !ok {
				return dst, ErrNotObject
			}
			n = 1
		}
		p = p[n:]
	}
	return dst, nil
}

// isWhole reports whether the object has ended.
func (r *rewriter) isWhole() bool { return r.at == behind }

// between takes one byte that belongs to no key and no value.
func (r *rewriter) between(dst []byte, c byte) ([]byte, bool) {
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		return dst, true
	case r.at == before && c == '{':
		r.at = first
		return append(dst, c), true
	case (r.at == first || r.at == next) && c == '"':
		r.at, r.n, r.drop = inKey, 0, false
		return dst, true
	case r.at == first && c == '}':
		r.at = behind
		return dst, true
	case r.at == behindKey && c == ':':
		r.at = inValue
		if !r.drop {
			dst = append(dst, c)
		}
		return dst, true
	}
	return dst, false
}

// end puts the token in, behind all that is there. All of the message has been read: what
// is put in may be written over the end of it.
func (r *rewriter) end(dst []byte) []byte {
	return append(append(r.separate(dst), r.pair...), '}')
}

func (r *rewriter) separate(dst []byte) []byte {
	if r.some {
		dst = append(dst, ',')
	}
	r.some = true
	return dst
}

// readKey takes a part of a key, up to its end, and returns how much that was.
func (r *rewriter) readKey(dst, p []byte) ([]byte, int) {
	n := 0
	for n < len(p) && (r.escaped || p[n] != '"') {
		r.escaped = !r.escaped && p[n] == '\\'
		n++
	}
	part, ended := p[:n], n < len(p)
	if r.at == inKey && r.n+n > len(r.key) {
		dst = append(append(r.separate(dst), '"'), r.key[:r.n]...)
		r.at = inLongKey
	}
	if r.at == inLongKey {
		dst = append(dst, part...)
	} else {
		r.n += copy(r.key[r.n:], part)
	}
	if !ended {
		return dst, n
	}
	if r.at == inKey {
		if r.drop = isOurs(r.key[:r.n]); !r.drop {
			dst = append(append(r.separate(dst), '"'), r.key[:r.n]...)
		}
	}
	if !r.drop {
		dst = append(dst, '"')
	}
	r.at = behindKey
	return dst, n + 1
}

// readValue takes a part of a value, up to what ends it, and returns how much that was.
func (r *rewriter) readValue(dst, p []byte) ([]byte, int) {
	n := 0
	for n < len(p) && !r.endsAt(p[n]) {
		n++
	}
	if !r.drop {
		dst = append(dst, p[:n]...)
	}
	if n == len(p) {
		return dst, n
	}
	if p[n] == '}' {
		r.at = behind
		return dst, n + 1
	}
	r.at = next // the comma waits until it is known that the next pair passes
	return dst, n + 1
}

// endsAt takes one byte of a value, and reports whether it stands behind it.
func (r *rewriter) endsAt(c byte) bool {
	switch {
	case r.text:
		r.text = r.escaped || c != '"'
		r.escaped = !r.escaped && c == '\\'
	case c == '"':
		r.text = true
	case c == '{' || c == '[':
		r.depth++
	case r.depth == 0:
		return c == ',' || c == '}'
	case c == '}' || c == ']':
		r.depth--
	}
	return false
}

// isOurs reports whether a key, as it is written, is the one of the attributes, in capital
// letters or small.
func isOurs(raw []byte) bool {
	var text string
	quoted := append(append([]byte{'"'}, raw...), '"')
	return json.Unmarshal(quoted, &text) == nil && strings.EqualFold(text, MessageKey)
}

// Room is how much longer Rewrite makes a message at most; 0 without a token.
func Room(token string) int {
	if token == "" {
		return 0
	}
	return len(MessageKey) + len(token) + len(`"":"",`)
}

// Rewrite returns a message with the token in it, and nothing else under its key. It
// writes over the message, and needs Room behind it.
func Rewrite(message []byte, token string) ([]byte, error) {
	r := newRewriter(token)
	out, err := r.write(message[:0], message) // never ahead of what is read
	if err == nil && !r.isWhole() {
		err = ErrNotObject
	}
	if err != nil {
		return nil, err
	}
	return r.end(out), nil
}
