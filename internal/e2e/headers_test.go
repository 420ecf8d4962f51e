package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// headerRow is a row of testdata/identity_headers.json.
type headerRow struct {
	ID       string   `json:"id"`
	Class    string   `json:"class"`
	Lines    []string `json:"lines"`
	Trailers []string `json:"trailers"`
	Expect   string   `json:"expect"`
	Why      string   `json:"why"`
}

func loadRows(t testing.TB, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// latin1 turns the text of a vector into the exact bytes that it stands for.
func latin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// filled are the row's lines with the placeholders of the table filled in: each
// is a credential that would mean something if it got through.
func (r headerRow) filled(person string) []string {
	fill := strings.NewReplacer("CLIENT", person, "JWT", bob(), "SESSION", bob(), "TOKEN", person)
	var l []string
	for _, line := range r.Lines {
		switch {
		case line == "Authorization: Bearer A":
			line = "Authorization: Bearer " + person
		case line == "Authorization: Bearer B":
			line = "Authorization: Bearer " + bob()
		case strings.HasSuffix(line, ": KEY"):
			line = strings.TrimSuffix(line, "KEY") + catKey
		default:
			line = fill.Replace(line)
		}
		l = append(l, latin1(line))
	}
	return l
}

func (r headerRow) has(name string) bool {
	return slices.ContainsFunc(r.Lines, func(line string) bool {
		return strings.HasPrefix(strings.ToLower(line), name+":")
	})
}

// TestIdentityHeaders sends every row of the table over HTTP.
func TestIdentityHeaders(t *testing.T) {
	var table struct{ Rows []headerRow }
	loadRows(t, "identity_headers.json", &table)
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	for _, row := range table.Rows {
		t.Run(row.ID, func(t *testing.T) {
			cat.tap.take()
			person := staff.token("alice")
			got := exchange(t, f.addr, "POST", row.request(f.addr, person))
			row.judge(t, got, cat.tap.take(), idOf("alice"))
		})
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// request writes the row as a chat message. The row's lines come first, since one
// of them must.
func (r headerRow) request(host, person string) string {
	body := `{"text":"hello"}`
	lines := append([]string{"POST /message?row=" + r.ID + " HTTP/1.1"}, r.filled(person)...)
	if !r.has("host") {
		lines = append(lines, "Host: "+host)
	}
	if !r.has("authorization") {
		lines = append(lines, "Authorization: Bearer "+person)
	}
	lines = append(lines, "Content-Type: application/json")
	if len(r.Trailers) == 0 {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body)
		return strings.Join(lines, "\r\n")
	}
	if !r.has("transfer-encoding") {
		lines = append(lines, "Transfer-Encoding: chunked")
	}
	lines = append(lines, "", fmt.Sprintf("%x", len(body)), body, "0")
	lines = append(lines, r.Trailers...)
	return strings.Join(append(lines, "", ""), "\r\n")
}

// judge holds what came back and what arrived against the row.
func (r headerRow) judge(t *testing.T, got answer, arrived []arrival, id string) {
	t.Helper()
	switch {
	case r.Expect == "either" && got.status >= 400:
		none(t, arrived)
	case r.Expect == "strip", r.Expect == "either":
		if got.status != 200 {
			t.Errorf("%s: status %d, want 200: %s", r.Why, got.status, clip(got.body, 300))
			return
		}
		r.stripped(t, exactlyOne(t, arrived, id))
	case got.status == 200 && (r.Expect == "strip_or_400" || r.Expect == "fold_or_400"):
		r.stripped(t, exactlyOne(t, arrived, id))
	case r.Expect == "401":
		got.refusal(t, 401)
		none(t, arrived)
	default:
		if got.status != 400 {
			t.Errorf("%s: status %d, want 400: %s", r.Why, got.status, clip(got.body, 300))
		}
		none(t, arrived)
	}
}

// stripped asserts that nothing of the row's lines survived as a field of a name
// that it had, or could be taken for.
func (r headerRow) stripped(t *testing.T, a arrival) {
	t.Helper()
	for _, line := range r.Lines {
		name, value, ok := strings.Cut(latin1(line), ":")
		value = strings.TrimSpace(value)
		if !ok || value == "" || r.Expect == "either" || harmless[fold(name)] {
			continue
		}
		for _, v := range a.foldedValues(name) {
			if strings.Contains(v, value) {
				t.Errorf("%s: %q reached the Cat as %q", r.Why, line, v)
			}
		}
	}
	if got := a.foldedValues("x_forwarded_for"); len(got) > 1 || len(got) == 1 && net.ParseIP(got[0]).String() != "127.0.0.2" {
		t.Errorf("X-Forwarded-For at the Cat is %q, want the peer alone", got)
	}
}

// harmless are the names which the proxy writes itself, or which mean nothing.
var harmless = map[string]bool{
	"connection": true, "host": true, "x_a": true, "transfer_encoding": true,
	"user_id": true, "authorization": true, // these are held to their exact values
}

// TestIdentityHeadersOnHandshake sends every row with the handshake of a
// WebSocket. Each has a person of its own: people share one socket at the Cat, so
// that only the first handshake of a person arrives there.
func TestIdentityHeadersOnHandshake(t *testing.T) {
	var table struct{ Rows []headerRow }
	loadRows(t, "identity_headers.json", &table)
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr, websocket: "linger: 1s"})
	for _, row := range table.Rows {
		if len(row.Trailers) > 0 || row.ID == "ih-045" {
			continue // a handshake has no body
		}
		t.Run(row.ID, func(t *testing.T) {
			subject := "alice-" + row.ID
			person := staff.token(subject)
			l := dial(t, f.addr)
			l.send(row.handshake(f.addr, person))
			got, err := l.receive("GET")
			if err != nil && !isHangUp(err) {
				t.Fatal(err)
			}
			arrived := chatsOf(cat.tap.take(), subject)
			noSecret(t, "an answer", l.all.Bytes())
			row.judgeHandshake(t, got.status, arrived, idOf(subject))
		})
	}
	for _, a := range cat.tap.take() {
		t.Errorf("an unexpected request reached the Cat: %q", a.raw)
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// chatsOf leaves out the handshakes for people of earlier rows, which the Cat's
// stale connections can bring about.
func chatsOf(l []arrival, subject string) []arrival {
	var kept []arrival
	for _, a := range l {
		if !a.upgrades() || !strings.HasPrefix(a.target, "/ws/staff:alice-ih-") || strings.HasPrefix(a.target, "/ws/"+idOf(subject)+"?") {
			kept = append(kept, a)
		}
	}
	return kept
}

func (r headerRow) handshake(host, person string) string {
	lines := append([]string{"GET /ws/mallory HTTP/1.1"}, r.filled(person)...)
	if !r.has("host") {
		lines = append(lines, "Host: "+host)
	}
	if !r.has("authorization") {
		lines = append(lines, "Authorization: Bearer "+person)
	}
	return strings.Join(append(lines, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""), "\r\n")
}

func (r headerRow) judgeHandshake(t *testing.T, status int, arrived []arrival, id string) {
	t.Helper()
	switch {
	case status == 101 && r.Expect != "400" && r.Expect != "401":
		exactlyOne(t, arrived, id)
	case r.Expect == "strip" && !strings.HasPrefix(strings.ToLower(r.Lines[0]), "connection: close"):
		t.Errorf("%s: status %d, want 101", r.Why, status)
	default:
		want := 400
		if r.Expect == "401" {
			want = 401
		}
		if status != want {
			t.Errorf("%s: status %d, want %d", r.Why, status, want)
		}
		none(t, arrived)
	}
}
