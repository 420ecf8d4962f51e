package webhook_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/webhook"
)

// FuzzAnswer: whatever the service says, a person is exactly whom its answer names.
func FuzzAnswer(f *testing.F) {
	x := newFixture(f, nil)
	for _, seed := range []string{
		`{"user_id":"alice","name":"A","groups":["g"],"expires":4102444800}`, `{"sub":7}`, `{"user_id":"a","sub":"b"}`, `{"user_id":"a","user_id":"b"}`,
		`{"user_id":1e3}`, `{"user_id":"\u0000"}`, `{"user_id":"a","expires":"2099-01-01T00:00:00Z"}`, `{}`, `null`, ``,
	} {
		f.Add(seed, "max-age=5")
	}
	f.Fuzz(func(t *testing.T, text, control string) {
		x.clock.Advance(time.Minute)
		x.answers(says(text, "Cache-Control", strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return -1
			}
			return r
		}, control)))
		u, err := x.ask(t, sessionHeader, "fuzzed")
		if err != nil {
			return
		}
		var said map[string]any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if d.Decode(&said) != nil || fmt.Sprint(said["user_id"]) != u.Subject && fmt.Sprint(said["sub"]) != u.Subject {
			t.Errorf("%q is %q", text, u.Subject)
		}
	})
}

// FuzzShown: the service is shown exactly the values that the request has.
func FuzzShown(f *testing.F) {
	x := newFixture(f, func(c *webhook.Config) {
		c.SendHeaders, c.SendCookies, c.Cache = []string{"X-A", "X-B"}, []string{"c"}, 0
	})
	var shown string
	x.answers(func(w http.ResponseWriter, r *http.Request) {
		shown = r.Header.Get("X-A") + "\n" + r.Header.Get("X-B") + "\n" + r.Header.Get("Cookie")
		says(`{"user_id":"a"}`)(w, r)
	})
	f.Add("a", "b", "c=d")
	f.Add("", "\x01", `c="x"; d=e`)
	f.Add(strings.Repeat("a", 200), "c=d", "c=; c=x")
	f.Fuzz(func(t *testing.T, a, b, cookies string) {
		_, err := x.ask(t, "X-A", a, "X-B", b, "Cookie", cookies)
		if err != nil {
			return
		}
		own := ""
		for pair := range strings.SplitSeq(cookies, ";") {
			if n, v, _ := strings.Cut(strings.Trim(pair, " \t"), "="); n == "c" && v != "" {
				own = "c=" + v
			}
		}
		if want := trim(a) + "\n" + trim(b) + "\n" + trim(own); shown != want {
			t.Errorf("shown %q, want %q", shown, want)
		}
	})
}

// trim is what HTTP takes from the ends of a field's value.
func trim(s string) string { return strings.Trim(s, " \t") }
