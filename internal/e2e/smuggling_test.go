package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// A smuggling attack is one request whose framing two servers could read in two
// ways, with a second request hidden where the one ends its body and the other
// does not. The hidden request has no credential of its own, so that it is worth
// something only as the body of a good one: at the Cat it would be authorised by
// whatever Catflap wrote before it.
type smuggling struct {
	name    string
	version string   // default HTTP/1.1
	framing []string // field lines that say how long the body is
	body    string   // what follows the head; HIDDEN is the hidden request
	legal   bool     // one reading only: it may be forwarded, as one request
	// closes: a server may read it in one way, but must close the connection after
	// its answer (RFC 9112 §6.1).
	closes bool
	// pipelined: the letter of the RFC makes the hidden request one of the client's
	// own, behind this one. It has no credential, so that it is refused.
	pipelined bool
	method    string // default POST
}

const hidden = "GET /plugins/?smuggled=1 HTTP/1.1\r\nHost: cat\r\nuser_id: admin\r\n\r\n"

// chunkedHidden ends at once for who reads chunks, and is HIDDEN after that.
const chunkedHidden = "0\r\n\r\nHIDDEN"

// smugglings: RFC 9112 §6.1 to §6.3, §7.1 and §11.2. A sender of any of these but
// the legal ones is an attacker or broken; both get 400 and a closed connection.
func smugglings() []smuggling {
	te := func(name string, lines ...string) smuggling {
		return smuggling{name: "te/" + name, framing: lines, body: chunkedHidden}
	}
	both := func(name string, lines ...string) smuggling {
		return smuggling{name: "both/" + name, framing: lines, body: chunkedHidden, closes: true}
	}
	cl := func(name string, lines ...string) smuggling {
		return smuggling{name: "cl/" + name, framing: lines, body: "HIDDEN"}
	}
	chunk := func(name, body string) smuggling {
		return smuggling{name: "chunk/" + name, framing: []string{"Transfer-Encoding: chunked"}, body: body}
	}
	rows := []smuggling{
		te("twice", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
		te("twice, second identity", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
		te("twice, first identity", "Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
		te("list", "Transfer-Encoding: chunked, chunked"),
		te("list with identity", "Transfer-Encoding: identity, chunked"),
		te("list with gzip", "Transfer-Encoding: gzip, chunked"),
		te("list, chunked first", "Transfer-Encoding: chunked, gzip"),
		te("list, empty member", "Transfer-Encoding: chunked,"),
		te("list, empty first member", "Transfer-Encoding: , chunked"),
		te("identity", "Transfer-Encoding: identity"),
		te("unknown", "Transfer-Encoding: xchunked"),
		te("unknown suffix", "Transfer-Encoding: chunkedx"),
		te("quoted", `Transfer-Encoding: "chunked"`),
		te("single quoted", "Transfer-Encoding: 'chunked'"),
		te("parameter", "Transfer-Encoding: chunked;q=1"),
		te("empty", "Transfer-Encoding:"),
		te("space before the colon", "Transfer-Encoding : chunked"),
		te("tab before the colon", "Transfer-Encoding\t: chunked"),
		te("vertical tab in the value", "Transfer-Encoding: \vchunked"),
		te("form feed in the value", "Transfer-Encoding: \fchunked"),
		te("NUL in the value", "Transfer-Encoding: chunked\x00"),
		te("NUL before the value", "Transfer-Encoding: \x00chunked"),
		te("bare CR in the value", "Transfer-Encoding: chunked\rX: y"),
		te("bare CR before the value", "Transfer-Encoding:\rchunked"),
		te("behind a bare CR", "X: y\rTransfer-Encoding: chunked"),
		te("high byte after", "Transfer-Encoding: chunked\xa0"),
		te("next line after", "Transfer-Encoding: chunked\x85"),
		te("name with a high byte", "Transfer-Encoding\xa0: chunked"),
		te("colon twice", "Transfer-Encoding:: chunked"),
		te("no colon", "Transfer-Encoding chunked"),
		te("unknown, with a length", "Transfer-Encoding: xchunked", "Content-Length: ALL"),
		te("identity, with a length", "Transfer-Encoding: identity", "Content-Length: ALL"),

		// Read by Transfer-Encoding alone (RFC 9112 §6.1).
		both("with a length", "Transfer-Encoding: chunked", "Content-Length: 5"),
		both("with a length before", "Content-Length: 5", "Transfer-Encoding: chunked"),
		both("with a length of all", "Content-Length: ALL", "Transfer-Encoding: chunked"),
		both("with a length of nought", "Content-Length: 0", "Transfer-Encoding: chunked"),
		both("other case, with a length", "tRANSFER-eNCODING: CHUNKED", "Content-Length: 5"),
		both("space after, with a length", "Transfer-Encoding: chunked ", "Content-Length: 5"),
		both("tab before, with a length", "Transfer-Encoding:\tchunked", "Content-Length: 5"),
		both("folded, with a length", "Transfer-Encoding:\r\n chunked", "Content-Length: 5"),
		both("nominated away", "Connection: Transfer-Encoding", "Transfer-Encoding: chunked", "Content-Length: 5"),

		cl("differing", "Content-Length: 0", "Content-Length: ALL"),
		cl("differing, other order", "Content-Length: ALL", "Content-Length: 0"),
		cl("list", "Content-Length: 0, ALL"),
		cl("list of equals and another", "Content-Length: 0, 0, ALL"),
		cl("negative", "Content-Length: -1"),
		cl("negative nought", "Content-Length: -0"),
		cl("plus", "Content-Length: +0"),
		cl("hexadecimal", "Content-Length: 0x0"),
		cl("with an underscore", "Content-Length: 0_0"),
		cl("decimal point", "Content-Length: 0.0"),
		cl("exponent", "Content-Length: 0e1"),
		cl("trailing letter", "Content-Length: 0a"),
		cl("inner space", "Content-Length: 0 0"),
		cl("quoted", `Content-Length: "0"`),
		cl("empty", "Content-Length:"),
		cl("beyond 64 bits", "Content-Length: 18446744073709551616"),
		cl("beyond 63 bits", "Content-Length: 9223372036854775808"),
		cl("semicolon", "Content-Length: 0;x"),
		cl("space before the colon", "Content-Length : 0"),
		cl("vertical tab", "Content-Length: \v0"),
		cl("NUL", "Content-Length: 0\x00"),
		cl("behind a bare CR", "X: y\rContent-Length: ALL"),
		cl("arabic digits", "Content-Length: \xd9\xa0"),

		chunk("size with a sign", "+0\r\n\r\nHIDDEN"),
		chunk("size negative", "-0\r\n\r\nHIDDEN"),
		chunk("size 0x", "0x0\r\n\r\nHIDDEN"),
		chunk("size empty", "\r\n\r\nHIDDEN"),
		chunk("size with a leading space", " 0\r\n\r\nHIDDEN"),
		chunk("size overflows", "10000000000000000\r\nHIDDEN"),
		chunk("size overflows to nought", "100000000000000000000000000000000\r\n\r\nHIDDEN"),
		chunk("size with an underscore", "0_0\r\n\r\nHIDDEN"),
		chunk("size no number", "z\r\n\r\nHIDDEN"),
		chunk("bare LF after the size", "0\n\r\nHIDDEN"),
		chunk("bare LF for all", "0\n\nHIDDEN"),
		chunk("bare LF in an extension", "0;a\nb\r\n\r\nHIDDEN"),
		chunk("bare CR after the size", "0\r\r\nHIDDEN"),
		chunk("data not ended", "2\r\n{}0\r\n\r\nHIDDEN"),
		chunk("data ended by LF", "2\r\n{}\n0\r\n\r\nHIDDEN"),
		chunk("data too long", "2\r\n{}x\r\n0\r\n\r\nHIDDEN"),
		chunk("size line too long", strings.Repeat("0", 5000)+"\r\n\r\nHIDDEN"),
		chunk("extension without end", "0;"+strings.Repeat("a", 8192)+"\r\n\r\nHIDDEN"),
		chunk("trailer without colon", "2\r\n{}\r\n0\r\nuser_id admin\r\n\r\nHIDDEN"),
		chunk("trailer is the hidden request", "2\r\n{}\r\n0\r\nHIDDEN"),
		chunk("trailer without end", "2\r\n{}\r\n0\r\nX: "+strings.Repeat("a", 40<<10)+"\r\n\r\nHIDDEN"),

		{name: "version/1.0 with chunked", version: "HTTP/1.0", framing: []string{"Transfer-Encoding: chunked"}, body: chunkedHidden, closes: true},
		{name: "version/1.0 with chunked and keep-alive", version: "HTTP/1.0", framing: []string{"Connection: keep-alive", "Transfer-Encoding: chunked", "Content-Length: 5"}, body: chunkedHidden, closes: true},
		{name: "version/2.0", version: "HTTP/2.0", framing: []string{"Transfer-Encoding: chunked"}, body: chunkedHidden},
		{name: "version/1.2", version: "HTTP/1.2", framing: []string{"Transfer-Encoding: chunked"}, body: chunkedHidden, pipelined: true},
		{name: "chunk/trailer with a space before the colon", framing: []string{"Transfer-Encoding: chunked"}, body: "2\r\n{}\r\n0\r\nuser_id : admin\r\n\r\nHIDDEN", pipelined: true},
		{name: "te/folded into another line", framing: []string{" Transfer-Encoding: chunked"}, body: chunkedHidden, pipelined: true},
		{name: "te/name with an underscore, and a length", framing: []string{"Transfer_Encoding: chunked", "Content-Length: 5"}, body: chunkedHidden, pipelined: true},
		{name: "cl/name with an underscore, and chunks", framing: []string{"Content_Length: 0", "Transfer-Encoding: chunked"}, body: chunkedHidden, pipelined: true},
		{name: "version/0.9", version: "HTTP/0.9", framing: []string{"Content-Length: 0"}, body: "HIDDEN"},
		{name: "version/lower case", version: "http/1.1", framing: []string{"Content-Length: 0"}, body: "HIDDEN"},
		{name: "version/none", version: "-", framing: []string{"Content-Length: 0"}, body: "HIDDEN"},
		{name: "version/word behind", version: "HTTP/1.1 x", framing: []string{"Content-Length: 0"}, body: "HIDDEN"},
		{name: "get/with a body in a length", method: "GET", framing: []string{"Content-Length: ALL"}, body: "HIDDEN", legal: true},
		{name: "get/with chunks", method: "GET", framing: []string{"Transfer-Encoding: chunked"}, body: "CHUNK0\r\n\r\n", legal: true},

		// These have one reading. Catflap may forward them, as one request each.
		{name: "legal/length", framing: []string{"Content-Length: ALL"}, body: "HIDDEN", legal: true},
		{name: "legal/length twice the same", framing: []string{"Content-Length: ALL", "Content-Length: ALL"}, body: "HIDDEN", legal: true},
		{name: "legal/length with leading noughts", framing: []string{"Content-Length: 000ALL"}, body: "HIDDEN", legal: true},
		{name: "legal/chunks", framing: []string{"Transfer-Encoding: chunked"}, body: "CHUNK0\r\n\r\n", legal: true},
		{name: "legal/chunks, case", framing: []string{"transfer-encoding: CHUNKED"}, body: "CHUNK0\r\n\r\n", legal: true},
		{name: "legal/chunk extension", framing: []string{"Transfer-Encoding: chunked"}, body: "2;a=\"b\"\r\n{}\r\n0;c\r\n\r\n", legal: true},
		{name: "legal/trailers", framing: []string{"Transfer-Encoding: chunked"}, body: "2\r\n{}\r\n0\r\nuser_id: admin\r\nContent-Length: 999\r\nTransfer-Encoding: chunked\r\n\r\n", legal: true},
		{name: "legal/size with leading noughts", framing: []string{"Transfer-Encoding: chunked"}, body: "0002\r\n{}\r\n000\r\n\r\n", legal: true},
		{name: "legal/length nominated away", framing: []string{"Connection: Content-Length", "Content-Length: ALL"}, body: "HIDDEN", legal: true},
	}
	return rows
}

func (s smuggling) raw(host, token string) string {
	body := strings.ReplaceAll(s.body, "HIDDEN", hidden)
	body = strings.ReplaceAll(body, "CHUNK", fmt.Sprintf("%x\r\n%s\r\n", len(hidden), hidden))
	method, version := s.method, s.version
	if method == "" {
		method = "POST"
	}
	switch version {
	case "":
		version = " HTTP/1.1"
	case "-":
		version = ""
	default:
		version = " " + version
	}
	lines := append([]string{method + " /memory/recall?text=x" + version}, s.framing...)
	if strings.HasPrefix(s.framing[0], " ") {
		lines = []string{lines[0], "X-First: 1", lines[1]}
	}
	lines = append(lines, "Host: "+host, "Authorization: Bearer "+token, "Content-Type: application/json")
	head := strings.ReplaceAll(strings.Join(lines, "\r\n"), "ALL", fmt.Sprint(len(body)))
	return head + "\r\n\r\n" + body
}

// TestSmuggling sends each attack, then looks at the Cat: not a byte of the
// hidden request may have arrived as a request.
func TestSmuggling(t *testing.T) {
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, limits: "header_timeout: 2s\nbody_idle: 2s"})
	for _, row := range smugglings() {
		t.Run(row.name, func(t *testing.T) {
			cat.tap.take()
			l := dial(t, f.addr)
			defer l.close()
			l.send(row.raw(f.addr, alice()))
			statuses, closed := l.drain()
			noSecret(t, "an answer", l.all.Bytes())
			row.judge(t, statuses, closed, cat.tap.take())
		})
	}
}

func (s smuggling) judge(t *testing.T, statuses []int, closed bool, arrived []arrival) {
	t.Helper()
	for _, a := range arrived {
		if strings.Contains(a.target, "smuggled") {
			t.Errorf("the hidden request reached the Cat: %q", a.raw)
		}
		a.check(t, idOf("alice"))
		if n := len(a.foldedValues("transfer-encoding")) + len(a.foldedValues("content-length")); n > 1 {
			t.Errorf("the Cat is told %d times how long the body is: %q", n, a.raw)
		}
	}
	switch {
	case s.pipelined:
		if len(statuses) > 2 || len(arrived) > 1 || len(statuses) == 2 && statuses[1] != 401 && statuses[1] != 400 {
			t.Errorf("answered %v, %d arrived", statuses, len(arrived))
		}
	case s.legal:
		if len(statuses) != 1 || statuses[0] >= 500 || len(arrived) > 1 {
			t.Errorf("a plain request was answered %v, and %d arrived", statuses, len(arrived))
		}
	case len(statuses) > 1 || !closed:
		t.Errorf("%v: the connection went on after doubtful framing", statuses)
	case s.closes && len(arrived) <= 1:
	case len(statuses) == 1 && (statuses[0] < 400 || statuses[0] > 505 || statuses[0] == 502):
		t.Errorf("doubtful framing was answered %v, want 400", statuses)
	case strings.HasPrefix(s.name, "chunk/"):
		// A body that breaks off may have been on its way already.
	case len(arrived) != 0:
		t.Errorf("doubtful framing was forwarded: %s", summary(arrived))
	}
}
