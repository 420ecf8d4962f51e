package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestPeopleNeverMix: many people at once, over kept connections and sockets; each
// answer is for the one who asked, and each message arrived under that name.
func TestPeopleNeverMix(t *testing.T) {
	t.Parallel()
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	const people, turns = 12, 40
	var wg sync.WaitGroup
	for p := range people {
		subject := fmt.Sprintf("person-%d", p)
		token := staff.token(subject)
		wg.Go(func() { // over HTTP
			l := dialQuietly(t, f.addr)
			defer l.close()
			for n := range turns {
				said := fmt.Sprintf("<%s says %d>", subject, n)
				l.send(request("POST /message", f.addr, token, `{"text":"`+said+`","user_id":"admin"}`, "user_id: person-0"))
				a, err := l.receive("POST")
				if err != nil || a.status != 200 || !strings.Contains(string(a.body), said) || !strings.Contains(string(a.body), `"`+idOf(subject)+`"`) {
					t.Errorf("%s was answered %d %s, %v", said, a.status, clip(a.body, 200), err)
					return
				}
			}
		})
		c := mustChat(t, f, token)
		wg.Go(func() { // over a socket of another tab
			for n := range turns {
				expectTurn(t, c, fmt.Sprintf("%s in a socket, %d", subject, n), idOf(subject))
			}
		})
	}
	wg.Wait()
	for _, a := range cat.tap.take() {
		if a.upgrades() {
			continue
		}
		id := strings.Join(a.foldedValues("user_id"), ",")
		a.check(t, id)
		if !strings.Contains(string(a.body), "<"+strings.TrimPrefix(id, "staff:")+" says ") {
			t.Errorf("%s carries the words of another: %s", id, a.body)
		}
	}
}
