package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// keysHandler is a handler of API keys beside that of the staff.
const keysHandler = "- name: bots\n  type: apikey\n  keys_file: keys.yaml"

// startWithKeys runs a Catflap that takes API keys, with people of the staff beside.
func startWithKeys(t *testing.T) (*catBehindTap, *flap) {
	t.Helper()
	cat := startCat(t)
	return cat, start(t, config{cat: cat.tap.addr, handlersMore: keysHandler, websocket: "linger: 1s"})
}

func (f *flap) keysFile() string { return filepath.Join(filepath.Dir(f.configFile), "keys.yaml") }

// newKey makes an API key as an operator does, and waits until it is accepted.
func (f *flap) newKey(args ...string) string {
	f.t.Helper()
	out, err := exec.Command(f.binary, append([]string{"key", "new", "--file", f.keysFile()}, args...)...).Output()
	if err != nil {
		f.t.Fatalf("key new: %v", err)
	}
	key := strings.TrimSpace(string(out))
	plant(key)
	f.await("the key is accepted", func() bool { return f.asks(key, "user_id: nobody-in-particular") != 401 })
	return key
}

func (f *flap) revoke(key string) {
	f.t.Helper()
	if out, err := exec.Command(f.binary, "key", "revoke", "--file", f.keysFile(), key).CombinedOutput(); err != nil {
		f.t.Fatalf("key revoke: %v %s", err, out)
	}
}

// asks sends a message with a key, and returns the status.
func (f *flap) asks(key string, lines ...string) int {
	f.t.Helper()
	return exchange(f.t, f.addr, "POST", request("POST /message", f.addr, key, `{"text":"hello"}`, lines...)).status
}

// TestAPIKey: a script is its owner from the moment its key is made, over HTTP and a
// socket, and out from the moment it is revoked. The file can be broken in between.
func TestAPIKey(t *testing.T) {
	t.Parallel()
	cat, f := startWithKeys(t)
	key := f.newKey("--owner", "nightly")
	cat.tap.take()
	if got := f.asks(key, "user_id: mallory"); got != 200 {
		t.Fatalf("status %d", got)
	}
	exactlyOne(t, cat.tap.take(), "bots:nightly")
	c := mustChat(t, f, key)
	expectTurn(t, c, "hello", "bots:nightly")
	people := mustChat(t, f, alice())

	good, err := os.ReadFile(f.keysFile())
	if err != nil {
		t.Fatal(err)
	}
	write := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(f.keysFile(), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(good[:len(good)/2])
	said := func() bool {
		status, body := f.readiness()
		return status == 200 && strings.Contains(body, "the file of keys can't be used")
	}
	f.await("/readyz tells of half a file", said)
	expectTurn(t, c, "the last good keys stay", "bots:nightly")
	write(good)
	f.await("nothing to tell any more", func() bool { return !said() })

	f.revoke(key)
	if e := closed(t, c, patience); e.Code != 4401 {
		t.Errorf("the socket of a revoked key is closed with %v", e)
	}
	cat.tap.take()
	if got := f.asks(key); got != 401 {
		t.Errorf("a revoked key: status %d", got)
	}
	none(t, chatsOf(cat.tap.take(), "-"))
	expectTurn(t, people, "others stay", idOf("alice"))
}

// TestAttacksWithAnAPIKey sends the tables of headers and paths with an API key, and with
// one that acts for others: no identity but theirs reaches the Cat.
func TestAttacksWithAnAPIKey(t *testing.T) {
	t.Parallel()
	cat, f := startWithKeys(t)
	own, shop := f.newKey("--owner", "nightly"), f.newKey("--owner", "shop", "--acts-for")
	var table struct{ Rows []headerRow }
	loadRows(t, "identity_headers.json", &table)
	for _, row := range table.Rows {
		cat.tap.take()
		row.judge(t, exchange(t, f.addr, "POST", row.request(f.addr, own)), cat.tap.take(), "bots:nightly")
		named := row
		named.Lines = append(append([]string(nil), row.Lines...), "user_id: ada")
		got := exchange(t, f.addr, "POST", named.request(f.addr, shop))
		for _, a := range cat.tap.take() {
			if a.check(t, "shop:ada"); got.status >= 400 {
				t.Errorf("%s: refused with %d, and reached the Cat", row.ID, got.status)
			}
		}
	}
	var paths pathTable
	loadRows(t, "paths.json", &paths)
	for _, row := range paths.HTTP {
		cat.tap.take()
		row.judge(t, row.Base, exchange(t, f.addr, row.Method, row.request(own)), cat.tap.take(), "bots:nightly")
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// TestOnBehalfOf has who may be named, how, and by which credential.
func TestOnBehalfOf(t *testing.T) {
	t.Parallel()
	cat, f := startWithKeys(t)
	own, shop, blog := f.newKey("--owner", "nightly"), f.newKey("--owner", "shop", "--acts-for"), f.newKey("--owner", "The Blog", "--acts-for=blog")
	for _, c := range []struct {
		name, key, id string // the id at the Cat; empty: 401
		lines         []string
	}{
		{"a person", shop, "shop:4711", []string{"user_id: 4711"}},
		{"the same of another", blog, "blog:4711", []string{"user_id: 4711"}},
		{"another case of the name", shop, "shop:4711", []string{"User_Id: 4711"}},
		{"capitals", shop, "shop:4711", []string{"USER_ID: 4711"}},
		{"a path", shop, "shop:..~2f..~2fetc~2fpasswd", []string{"user_id: ../../etc/passwd"}},
		{"the admin", shop, "shop:admin", []string{"user_id: admin"}},
		{"a person of the other", shop, "shop:blog~3a4711", []string{"user_id: blog:4711"}},
		{"an id of the staff", shop, "shop:staff~3aalice", []string{"user_id: staff:alice"}},
		{"quotes", shop, "shop:~22a~27b~22", []string{`user_id: "a'b"`}},
		{"letters beyond ASCII", shop, "shop:Jos~c3~a9", []string{"user_id: José"}},
		{"an escape", shop, "shop:a~252fb", []string{"user_id: a%2fb"}},
		{"a list", shop, "shop:a~2c~20b", []string{"user_id: a, b"}},
		{"nobody", shop, "", nil},
		{"an empty name", shop, "", []string{"user_id:"}},
		{"two people", shop, "", []string{"user_id: a", "user_id: b"}},
		{"twice the same", shop, "", []string{"user_id: a", "user_id: a"}},
		{"two spellings", shop, "", []string{"user_id: a", "User-Id: b"}},
		{"a dash", shop, "", []string{"user-id: a"}},
		{"a dot", shop, "", []string{"user.id: a"}},
		{"no UTF-8", shop, "", []string{"user_id: \xe9"}},
		{"a page", shop, "", []string{"user_id: a", "Origin: http://" + f.addr}},
		{"a browser", shop, "", []string{"user_id: a", "Sec-Fetch-Site: same-origin"}},
		{"an ordinary key", own, "bots:nightly", []string{"user_id: a"}},
		{"a person's token", alice(), idOf("alice"), []string{"user_id: a"}},
	} {
		cat.tap.take()
		got := exchange(t, f.addr, "POST", request("POST /message?user_id=mallory", f.addr, c.key, `{"text":"x","user_id":"mallory"}`, c.lines...))
		arrived := cat.tap.take()
		if c.id == "" {
			if got.refusal(t, 401); len(arrived) > 0 {
				t.Errorf("%s: refused, and reached the Cat", c.name)
			}
			continue
		}
		if got.status != 200 || len(arrived) != 1 {
			t.Errorf("%s: status %d, %d at the Cat: %s", c.name, got.status, len(arrived), clip(got.body, 200))
			continue
		}
		arrived[0].check(t, c.id)
	}
	upgrade := strings.Split(strings.TrimSuffix(upgradeLines, "\r\n"), "\r\n")
	for _, lines := range [][]string{{"Authorization: Bearer " + shop}, {"access_token: " + shop}, {"Sec-WebSocket-Protocol: bearer, " + shop}} {
		got := exchange(t, f.addr, "GET", request("GET /ws", f.addr, "", "", append(append(lines, "user_id: a"), upgrade...)...))
		got.refusal(t, 401)
	}
	exchange(t, f.addr, "GET", request("GET /ws/a?token="+shop, f.addr, "", "", append([]string{"user_id: a"}, upgrade...)...)).refusal(t, 401)
	exchange(t, f.addr, "POST", request("POST /message?token="+shop, f.addr, "", `{"text":"x"}`, "user_id: a")).refusal(t, 401)
	none(t, cat.tap.take())
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// TestRequestsOfAKeyUnderWay: what is under way with a revoked key is cut off, and a
// server's, with another key, goes on for the person that it has named.
func TestRequestsOfAKeyUnderWay(t *testing.T) {
	t.Parallel()
	_, f := startWithKeys(t)
	own, shop := f.newKey("--owner", "nightly"), f.newKey("--owner", "shop", "--acts-for")
	begin := func(key, text string) <-chan int {
		l := dial(t, f.addr)
		l.send(request("POST /message", f.addr, key, `{"text":"`+text+`"}`, "user_id: ada"))
		status := make(chan int, 1)
		go func() {
			a, _ := l.receiveWithin("POST", 3*patience)
			status <- a.status
		}()
		return status
	}
	cut, goesOn := begin(own, "sleep 25"), begin(shop, "sleep 3")
	f.await("both are under way", func() bool { return f.asks(shop, "user_id: ada") == 200 })
	f.revoke(own)
	if got := <-cut; got != 401 {
		t.Errorf("a request with a revoked key: %d", got)
	}
	if got := <-goesOn; got != 200 {
		t.Errorf("a request on behalf of somebody: %d", got)
	}
}

// ticket asks for one on behalf of somebody.
func (f *flap) ticket(key, user string) string {
	f.t.Helper()
	got := exchange(f.t, f.addr, "POST", request("POST /_catflap/ticket", f.addr, key, "", "user_id: "+user))
	var body struct{ Ticket string }
	if err := json.Unmarshal(got.body, &body); err != nil || body.Ticket == "" {
		f.t.Fatalf("no ticket: %d %s", got.status, clip(got.body, 200))
	}
	plant(body.Ticket)
	return body.Ticket
}

// TestTicketsOfABot: a ticket opens one socket for one person, though nobody signs in
// here, and is worth no more than the key by which it was got.
func TestTicketsOfABot(t *testing.T) {
	t.Parallel()
	cat, f := startWithKeys(t)
	shop := f.newKey("--owner", "shop", "--acts-for")
	ada, bo := f.ticket(shop, "ada"), f.ticket(shop, "bo")
	a, b := mustChat(t, f, ada), mustChat(t, f, bo)
	expectTurn(t, a, "hello of ada", "shop:ada")
	expectTurn(t, b, "hello of bo", "shop:bo")
	if _, status := openChat(t, f, "/ws", ada); status != 401 {
		t.Errorf("a ticket opens a second socket: %d", status)
	}
	exchange(t, f.addr, "POST", request("POST /message", f.addr, f.ticket(shop, "ada"), `{"text":"x"}`)).refusal(t, 401)
	unused := f.ticket(shop, "cy")
	f.revoke(shop)
	if e := closed(t, a, patience); e.Code != 4401 {
		t.Errorf("ada's socket is closed with %v", e)
	}
	if e := closed(t, b, patience); e.Code != 4401 {
		t.Errorf("bo's socket is closed with %v", e)
	}
	if _, status := openChat(t, f, "/ws", unused); status != 401 {
		t.Errorf("a ticket of a revoked key opens a socket: %d", status)
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}
