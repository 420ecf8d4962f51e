package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
)

// litter is several Cats, each of which says its number.
type litter struct {
	cats  []*catBehindTap
	addrs []string
}

func startLitter(t testing.TB, n int) *litter {
	t.Helper()
	l := &litter{}
	for i := range n {
		c := serveCat(t, "127.0.0.1:0", standin.Options{
			APIKey: catKey, APIKeyWS: catKeyWS, JWTSecret: "no default",
			Reply: func(user, text string) string { return fmt.Sprintf("[cat %d] %s said %s", i, user, text) },
		})
		l.cats = append(l.cats, c)
		l.addrs = append(l.addrs, c.tap.addr)
	}
	return l
}

// by is the number of the Cat that said a text; -1 for none.
func (l *litter) by(text string) int {
	for i := range l.cats {
		if strings.Contains(text, fmt.Sprintf("[cat %d]", i)) {
			return i
		}
	}
	return -1
}

// asks is the status of a message, and the Cat that answered it.
func (l *litter) asks(t testing.TB, f *flap, subject string) (status, by int) {
	t.Helper()
	a := exchange(t, f.addr, "POST", message(f.addr, staff.token(subject)))
	return a.status, l.by(string(a.body))
}

// settle finds people of each Cat: their first message says whose they are.
func (l *litter) settle(t testing.TB, f *flap, each int) [][]string {
	t.Helper()
	people := make([][]string, len(l.cats))
	for n := 0; slices.ContainsFunc(people, func(p []string) bool { return len(p) < each }); n++ {
		subject := fmt.Sprintf("person-%d", n)
		status, at := l.asks(t, f, subject)
		if status != 200 || at < 0 || n > 200 {
			t.Fatalf("%s was answered %d by %d", subject, status, at)
		}
		if len(people[at]) < each {
			people[at] = append(people[at], subject)
		}
	}
	return people
}

// expect asserts that each Cat's people are served by it, or by what instead says.
func (l *litter) expect(t testing.TB, f *flap, people [][]string, instead map[int]int) {
	t.Helper()
	for at, subjects := range people {
		status := 200
		if code, ok := instead[at]; ok {
			status, at = code, -1
		}
		for _, subject := range subjects {
			if s, by := l.asks(t, f, subject); s != status || by != at {
				t.Errorf("%s was answered %d by %d, want %d by %d", subject, s, by, status, at)
			}
		}
	}
}

// up is the metric of a Cat, as it is written; empty for none.
func up(t testing.TB, f *flap, addr string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, page := get(ctx, "http://"+f.admin+"/metrics")
	_, after, _ := strings.Cut(page, fmt.Sprintf("catflap_cat_up{host=%q} ", addr))
	value, _, _ := strings.Cut(after, "\n")
	return value
}

// TestManyCats: each person has one Cat, over HTTP and WebSocket; one that is killed
// makes its own people wait and nobody else, and has them back.
func TestManyCats(t *testing.T) {
	t.Parallel()
	l := startLitter(t, 3)
	f := start(t, config{cats: l.addrs})
	people := l.settle(t, f, 3)
	for at, subjects := range people {
		c := mustChat(t, f, staff.token(subjects[0]))
		if s, err := turn(c, "hello"); err != nil || l.by(s.Text) != at || s.UserID != idOf(subjects[0]) {
			t.Errorf("%s chats with %+v, %v, want Cat %d", subjects[0], s, err, at)
		}
	}
	lives := mustChat(t, f, staff.token(people[0][1]))

	l.cats[1].tap.shut()
	f.await("waiting for one's Cat", func() bool {
		status, _ := l.asks(t, f, people[1][0])
		return status == http.StatusServiceUnavailable
	})
	l.expect(t, f, people, map[int]int{1: 503})
	if a := exchange(t, f.addr, "POST", message(f.addr, staff.token(people[1][0]))); a.header.Get("Retry-After") == "" || !strings.Contains(string(a.body), "cat_down") {
		t.Errorf("%v %s", a.header, a.body)
	}
	if c, status := openChat(t, f, "/ws", staff.token(people[1][1])); c != nil || status != 503 {
		t.Errorf("a handshake was answered %d", status)
	}
	if status, said := f.readiness(); status != 200 || !strings.Contains(said, l.addrs[1]) {
		t.Errorf("readiness %d %s, want 200 and the Cat that is down", status, said)
	}
	if up(t, f, l.addrs[0]) != "1" || up(t, f, l.addrs[1]) != "0" {
		t.Errorf("metrics: %q, %q", up(t, f, l.addrs[0]), up(t, f, l.addrs[1]))
	}
	if s, err := turn(lives, "still here?"); err != nil || l.by(s.Text) != 0 {
		t.Errorf("an open socket at another Cat: %+v, %v", s, err)
	}

	l.cats[1].tap.open()
	f.await("served by one's Cat again", func() bool {
		status, by := l.asks(t, f, people[1][0])
		return status == 200 && by == 1
	})
	l.expect(t, f, people, nil)
	for i, c := range l.cats {
		for _, a := range c.tap.take() {
			id := strings.Join(a.foldedValues("user_id"), ",")
			if who := slices.IndexFunc(people, func(p []string) bool { return slices.Contains(p, strings.TrimPrefix(id, "staff:")) }); who >= 0 && who != i {
				t.Errorf("%s of Cat %d reached Cat %d", id, who, i)
			}
		}
	}
}

// TestManyCatsFailover: the people of a killed Cat are served by the others, all of
// each person's by the same one.
func TestManyCatsFailover(t *testing.T) {
	t.Parallel()
	l := startLitter(t, 3)
	f := start(t, config{cats: l.addrs, catMore: "failover: next"})
	people := l.settle(t, f, 3)
	l.cats[2].tap.shut()
	f.await("served by another Cat", func() bool {
		status, _ := l.asks(t, f, people[2][0])
		return status == 200
	})
	for _, subject := range people[2] {
		status, by := l.asks(t, f, subject)
		if status != 200 || by == 2 || by < 0 {
			t.Fatalf("%s was answered %d by %d", subject, status, by)
		}
		if s, err := turn(mustChat(t, f, staff.token(subject)), "hello"); err != nil || l.by(s.Text) != by {
			t.Errorf("%s chats with %+v, %v, and asks Cat %d", subject, s, err, by)
		}
	}
	l.expect(t, f, people[:2], nil)
}

// TestManyCatsReload: a Cat that is taken out leaves its people to the others, and
// nobody else's socket or Cat changes.
func TestManyCatsReload(t *testing.T) {
	t.Parallel()
	l := startLitter(t, 3)
	f := start(t, config{cats: l.addrs})
	people := l.settle(t, f, 2)
	stays := mustChat(t, f, staff.token(people[0][0]))
	goes := mustChat(t, f, staff.token(people[2][0]))
	if s, err := turn(goes, "hello"); err != nil || l.by(s.Text) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}

	f.configure(config{cats: []string{l.addrs[1], l.addrs[0]}})
	if status, body := f.reload(); status != 200 {
		t.Fatalf("reload: %d %s", status, body)
	}
	l.expect(t, f, people[:2], nil)
	for _, subject := range people[2] {
		if status, by := l.asks(t, f, subject); status != 200 || by == 2 || by < 0 {
			t.Errorf("%s was answered %d by %d", subject, status, by)
		}
	}
	if s, err := turn(stays, "and now?"); err != nil || l.by(s.Text) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := turn(goes, "and now?"); err != nil || l.by(s.Text) != 2 {
		t.Errorf("a socket that was open: %+v, %v", s, err)
	}
	if got := up(t, f, l.addrs[2]); got != "" {
		t.Errorf("the metric of a Cat that is no more: %q", got)
	}
}

// TestManyCatsOneOpen: readiness names it, and none of its people reaches anything.
func TestManyCatsOneOpen(t *testing.T) {
	t.Parallel()
	l := startLitter(t, 2)
	open := serveCat(t, "127.0.0.1:0", standin.Options{APIKeyWS: catKeyWS, JWTSecret: "no default"})
	f := launch(t, config{cats: append(l.addrs, open.tap.addr), catMore: "failover: next"})
	f.await("unready because of the open Cat", func() bool {
		status, reason := f.readiness()
		return status == 503 && strings.Contains(reason, open.tap.addr) && strings.Contains(reason, "open")
	})
	f.await("serving the others", func() bool { return up(t, f, l.addrs[0])+up(t, f, l.addrs[1]) == "11" })
	refused := 0
	for n := range 30 {
		switch status, by := l.asks(t, f, fmt.Sprintf("person-%d", n)); {
		case status == 503 && by < 0:
			refused++
		case status != 200 || by < 0:
			t.Errorf("person-%d was answered %d by %d", n, status, by)
		}
	}
	if refused == 0 || refused == 30 {
		t.Errorf("%d of 30 people were refused", refused)
	}
	for _, a := range open.tap.take() {
		if id := strings.Join(a.foldedValues("user_id"), ","); strings.HasPrefix(id, "staff:") {
			t.Errorf("%s reached the open Cat", id)
		}
	}
}
