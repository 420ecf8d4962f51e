package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// arrival is a request as the Cat received it, nothing decoded.
type arrival struct {
	method, target string
	fields         []field
	body           []byte
	raw            []byte
}

type field struct{ name, value string }

var (
	errIncomplete = errors.New("not all there yet")
	requestLine   = regexp.MustCompile(`\A([A-Za-z]+) ([!-~]+) HTTP/1\.1\z`)
	fieldName     = regexp.MustCompile("\\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\\z")
)

// parseArrival reads one request by the letter of RFC 9112, with none of the
// latitude that it gives to recipients: what two servers could read differently
// is an error.
func parseArrival(b []byte) (arrival, int, error) {
	head, _, whole := bytes.Cut(b, []byte("\r\n\r\n"))
	if !whole {
		return arrival{}, 0, errIncomplete
	}
	lines := strings.Split(string(head), "\r\n")
	m := requestLine.FindStringSubmatch(lines[0])
	if m == nil {
		return arrival{}, 0, fmt.Errorf("request line %q", lines[0])
	}
	a := arrival{method: m[1], target: m[2]}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !fieldName.MatchString(name) || strings.ContainsAny(value, "\r\n\x00") {
			return a, 0, fmt.Errorf("field line %q", line)
		}
		a.fields = append(a.fields, field{name, strings.Trim(value, " \t")})
	}
	body, n, err := a.readBody(b[len(head)+4:])
	if err != nil {
		return a, 0, err
	}
	a.body = body
	n += len(head) + 4
	a.raw = bytes.Clone(b[:n])
	return a, n, nil
}

func (a arrival) readBody(b []byte) (body []byte, n int, err error) {
	encodings, lengths := a.values("transfer-encoding"), a.values("content-length")
	switch {
	case len(encodings)+len(lengths) > 1:
		return nil, 0, fmt.Errorf("framing is said more than once: %q, %q", encodings, lengths)
	case len(encodings) == 1 && encodings[0] != "chunked":
		return nil, 0, fmt.Errorf("transfer encoding %q", encodings[0])
	case len(encodings) == 1:
		return readChunks(b)
	case len(lengths) == 0:
		return nil, 0, nil
	}
	length, err := strconv.ParseUint(lengths[0], 10, 31)
	if err != nil {
		return nil, 0, fmt.Errorf("content length %q", lengths[0])
	}
	if len(b) < int(length) {
		return nil, 0, errIncomplete
	}
	return bytes.Clone(b[:length]), int(length), nil
}

var chunkSize = regexp.MustCompile(`\A[0-9a-f]+\z`)

// readChunks takes neither extensions nor trailers: Catflap has no reason to send any.
func readChunks(b []byte) (body []byte, n int, err error) {
	for {
		line, rest, ok := bytes.Cut(b[n:], []byte("\r\n"))
		if !ok {
			return nil, 0, errIncomplete
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil || !chunkSize.Match(line) {
			return nil, 0, fmt.Errorf("chunk size %q", line)
		}
		if len(rest) < int(size)+2 {
			return nil, 0, errIncomplete
		}
		if string(rest[size:size+2]) != "\r\n" {
			return nil, 0, fmt.Errorf("after a chunk: %q", clip(rest[size:], 60))
		}
		body = append(body, rest[:size]...)
		n += len(line) + 2 + int(size) + 2
		if size == 0 {
			return body, n, nil
		}
	}
}

// values are the values of a field, by its exact name but for case.
func (a arrival) values(name string) []string {
	var l []string
	for _, f := range a.fields {
		if strings.EqualFold(f.name, name) {
			l = append(l, f.value)
		}
	}
	return l
}

// foldedValues are the values of each field that any server could take for name.
func (a arrival) foldedValues(name string) []string {
	var l []string
	for _, f := range a.fields {
		if fold(f.name) == fold(name) {
			l = append(l, f.value)
		}
	}
	return l
}

// fold writes a name in lower case with every other character as _.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}

func (a arrival) upgrades() bool { return len(a.values("upgrade")) > 0 }

// isProbe recognises a question of Catflap's own, whether the Cat is closed: it is
// asked in nobody's name, of these pages alone, with nothing of a client's.
func (a arrival) isProbe() bool {
	path, query, _ := strings.Cut(a.target, "?")
	listed := path == "/users/" && strings.HasPrefix(query, "limit=1000&skip=") // of the Cat's own users
	switch {
	case a.target == "/", a.target == "/users/", listed:
		id := a.foldedValues("user_id")
		return a.method == "GET" && len(a.body) == 0 && len(id) == 1 && id[0] == "anonymous"
	case a.target == "/auth/token": // the accounts of a fresh Cat are tried
		id, body := a.foldedValues("user_id"), string(a.body)
		return a.method == "POST" && len(a.foldedValues("authorization")) == 0 && len(id) == 1 && id[0] == "anonymous" &&
			(strings.Contains(body, `"username":"admin"`) || strings.Contains(body, `"username":"user"`))
	}
	return a.method == "GET" && path == "/ws/anonymous" // with the key for WebSockets, if that is tried
}

// check asserts what holds for every request of a person that reaches the Cat.
func (a arrival) check(t testing.TB, id string) {
	t.Helper()
	if a.upgrades() {
		a.checkChat(t, id)
		return
	}
	for _, f := range a.fields {
		if fold(f.name) == "user_id" && f.name != "user_id" {
			t.Errorf("the Cat got a twin of the identity, %q:\n%s", f.name, a.raw)
		}
	}
	if got := a.foldedValues("user_id"); len(got) != 1 || got[0] != id {
		t.Errorf("identity at the Cat is %q, want exactly %q:\n%s", got, id, a.raw)
	}
	if got := a.foldedValues("authorization"); len(got) != 1 || got[0] != "Bearer "+catKey {
		t.Errorf("credential at the Cat is not exactly its own key:\n%s", a.raw)
	}
	for _, name := range []string{"access_token", "proxy_authorization", "sec_websocket_protocol", "trailer", "te", "forwarded"} {
		if got := a.foldedValues(name); len(got) != 0 {
			t.Errorf("%s %q reached the Cat:\n%s", name, got, a.raw)
		}
	}
	noClientSecret(t, "a request to the Cat", a.raw)
}

// checkChat is check for the handshake of a WebSocket.
func (a arrival) checkChat(t testing.TB, id string) {
	t.Helper()
	if want := "/ws/" + id + "?token=" + catKeyWS; a.method != "GET" || a.target != want {
		t.Errorf("handshake at the Cat is %s %q, want %q", a.method, a.target, want)
	}
	for _, name := range []string{"user_id", "access_token", "cookie", "sec_websocket_protocol", "origin"} {
		own := name == "user_id" // Catflap may name the person there, too
		if got := a.foldedValues(name); len(got) != 0 && (!own || len(got) != 1 || got[0] != id) {
			t.Errorf("%s %q reached the Cat:\n%s", name, got, a.raw)
		}
	}
	noClientSecret(t, "a handshake to the Cat", a.raw)
}

// exactlyOne asserts that one request of this person came, and returns it.
func exactlyOne(t testing.TB, got []arrival, id string) arrival {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("%d requests reached the Cat, want 1: %s", len(got), summary(got))
	}
	got[0].check(t, id)
	return got[0]
}

// none asserts that nothing came.
func none(t testing.TB, got []arrival) {
	t.Helper()
	if len(got) != 0 {
		t.Errorf("%d requests reached the Cat, want none: %s", len(got), summary(got))
	}
}

func summary(l []arrival) string {
	var b strings.Builder
	for _, a := range l {
		fmt.Fprintf(&b, "\n%q", clip(a.raw, 500))
	}
	return b.String()
}
