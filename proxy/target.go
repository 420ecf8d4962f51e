package proxy

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/catflap/catflap/proxy/cat"
)

// target is a request target that has been read once. The decoded path is what is
// matched and logged, and its re-encoding is what is sent, so that what was
// judged is what the Cat gets.
type target struct {
	path  string // decoded once
	sent  string // path encoded again
	query string // as it came, without the parameters that claim an identity
	// tokens are the values of the credential parameter, decoded.
	tokens []string
	// otherToken says that a credential stands in a parameter that is never read.
	otherToken bool
}

// The ways in which a target can be wrong. The texts are told to the client.
var (
	errTargetForm    = errors.New("the request target must be a path that begins with /")
	errTargetByte    = errors.New("the request target holds a character that must be percent-encoded")
	errTargetEscape  = errors.New("the path holds a percent-escape that is malformed or stands for a character that may not be escaped there")
	errTargetSegment = errors.New("the path holds an empty segment, a dot segment or a segment with white space at its edge")
	errTargetHost    = errors.New("the request target names a host that is not this one")
	errTargetQuery   = errors.New("the query holds a malformed percent-escape in a credential")
)

// readTarget reads the raw target of r. publicHost, if not empty, is the authority
// that an absolute target may name beside the connection's own address.
func readTarget(r *http.Request, publicHost string) (target, error) {
	raw := r.RequestURI
	for i := range len(raw) {
		if c := raw[i]; c <= 0x20 || c >= 0x7f || c == '#' {
			return target{}, errTargetByte
		}
	}
	if raw == "" || raw[0] != '/' {
		var err error
		if raw, err = originForm(r, raw, publicHost); err != nil {
			return target{}, err
		}
	}
	rawPath, rawQuery, _ := strings.Cut(raw, "?")
	path, err := decodePath(rawPath)
	if err != nil {
		return target{}, err
	}
	t := target{path: path, sent: rawPath}
	if t.query, t.tokens, t.otherToken, err = cleanQuery(rawQuery); err != nil {
		return target{}, err
	}
	t.sent = encodePath(path)
	return t, nil
}

// originForm takes the path out of an absolute target (RFC 9112 §3.2.2) whose
// scheme and authority are this connection's.
func originForm(r *http.Request, raw, publicHost string) (string, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return "", errTargetForm
	}
	want := "http"
	if r.TLS != nil {
		want = "https"
	}
	if !strings.EqualFold(scheme, want) {
		return "", errTargetHost
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		return "", errTargetForm
	}
	if !ownAuthority(r, rest[:end], publicHost) {
		return "", errTargetHost
	}
	if rest[end] != '/' {
		return "", errTargetForm
	}
	return rest[end:], nil
}

// ownAuthority compares with the address that the client connected to. net/http
// puts the target's authority in the place of the Host line, so that the line
// itself can't be compared any more.
func ownAuthority(r *http.Request, authority, publicHost string) bool {
	if authority == "" || !strings.EqualFold(authority, r.Host) {
		return false
	}
	if publicHost != "" && strings.EqualFold(authority, publicHost) {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	host, port, err := net.SplitHostPort(local.String())
	if err != nil {
		return false
	}
	return authority == host || authority == net.JoinHostPort(host, port)
}

// decodePath decodes once, and refuses what the Cat or anything between could
// read in another way.
func decodePath(raw string) (string, error) {
	decoded := raw
	if strings.IndexByte(raw, '%') >= 0 {
		b := make([]byte, 0, len(raw))
		for i := 0; i < len(raw); i++ {
			c := raw[i]
			if c == '%' {
				if i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2]) {
					return "", errTargetEscape
				}
				c = unhex(raw[i+1])<<4 | unhex(raw[i+2])
				if strings.IndexByte(`/\%#?`, c) >= 0 || c < 0x20 || c == 0x7f {
					return "", errTargetEscape
				}
				i += 2
			} else if forbiddenRaw(c) {
				return "", errTargetByte
			}
			b = append(b, c)
		}
		decoded = string(b)
		if err := checkUnicode(decoded); err != nil {
			return "", err
		}
	} else if strings.ContainsAny(raw, forbiddenBytes) {
		return "", errTargetByte
	}
	return decoded, checkSegments(decoded)
}

// forbiddenBytes are ASCII, but no part of a path (RFC 3986 §3.3).
const forbiddenBytes = "\\<>\"^`{|}"

func forbiddenRaw(c byte) bool { return strings.IndexByte(forbiddenBytes, c) >= 0 }

func checkUnicode(s string) error {
	if !utf8.ValidString(s) {
		return errTargetEscape
	}
	for _, r := range s {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) {
			return errTargetEscape
		}
	}
	return nil
}

func checkSegments(path string) error {
	rest := path[1:]
	for rest != "" {
		segment, next, more := strings.Cut(rest, "/")
		bare, _, _ := strings.Cut(segment, ";")
		if segment == "" || bare == "." || bare == ".." || strings.TrimSpace(segment) != segment {
			return errTargetSegment
		}
		if !more {
			return nil
		}
		rest = next
	}
	return nil
}

// encodePath writes what RFC 3986 allows in a path as it is, and escapes the rest.
func encodePath(path string) string {
	clean := true
	for i := range len(path) {
		if !pathByte(path[i]) {
			clean = false
			break
		}
	}
	if clean {
		return path
	}
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(path)+16)
	for i := range len(path) {
		if c := path[i]; pathByte(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}

func pathByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("/-._~!$&'()*+,;=:@", c) >= 0
}

// cleanQuery takes the parameters that claim an identity out of a raw query and
// leaves every other byte as it is. It splits at & and ; alike, since servers
// differ over the second.
func cleanQuery(raw string) (rest string, tokens []string, other bool, err error) {
	if raw == "" {
		return "", nil, false, nil
	}
	var kept strings.Builder
	first := true
	for start := 0; start <= len(raw); {
		end := start + strings.IndexAny(raw[start:]+"&", "&;")
		piece := raw[start:end]
		rawName, rawValue, _ := strings.Cut(piece, "=")
		name, nameErr := url.QueryUnescape(strings.TrimLeft(rawName, "?")) // clients that append "?token=" to a query
		switch {
		case nameErr == nil && name == cat.TokenParameter:
			value, err := url.QueryUnescape(rawValue)
			if err != nil {
				return "", nil, false, errTargetQuery
			}
			if value != "" {
				tokens = append(tokens, value)
			}
		case nameErr == nil && cat.ParameterCarries(name):
			other = other || name == cat.TokenHeader && rawValue != ""
		default:
			if !first {
				kept.WriteByte(raw[start-1])
			}
			first = false
			kept.WriteString(piece)
		}
		start = end + 1
	}
	return kept.String(), tokens, other, nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
