package webhook_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/webhook"
)

// TestAnswers: which answers let somebody in, and as whom.
func TestAnswers(t *testing.T) {
	f := newFixture(t, func(c *webhook.Config) { c.Permissions = "permissions" })
	now := f.clock.Now()
	for n, row := range []struct {
		name, text, want string // want is the subject, or a code in brackets
	}{
		{"user_id", `{"user_id":"alice"}`, "alice"},
		{"sub", `{"sub":"alice"}`, "alice"},
		{"both, and equal", `{"user_id":"alice","sub":"alice"}`, "alice"},
		{"two people", `{"user_id":"alice","sub":"root"}`, "[fault]"},
		{"nobody and somebody", `{"user_id":"","sub":"alice"}`, "[fault]"},
		{"somebody and nobody", `{"user_id":"alice","sub":""}`, "[fault]"},
		{"a number", `{"user_id":42}`, "42"},
		{"zero", `{"user_id":0}`, "0"},
		{"a number with a fraction", `{"user_id":1.5}`, "[fault]"},
		{"a number in another spelling", `{"user_id":1e2}`, "[fault]"},
		{"less than nothing", `{"user_id":-1}`, "[fault]"},
		{"a huge number", `{"user_id":12345678901234567890}`, "[fault]"},
		{"true", `{"user_id":true}`, "[fault]"},
		{"null", `{"user_id":null}`, "[fault]"},
		{"empty", `{"user_id":""}`, "[fault]"},
		{"nobody", `{}`, "[fault]"},
		{"in other letters", `{"User_ID":"alice"}`, "[fault]"},
		{"twice", `{"user_id":"alice","user_id":"bob"}`, "[fault]"},
		{"quotes", `{"user_id":"a\"b<&\u00e9"}`, "a\"b<&é"},
		{"a line end", `{"user_id":"a\nb"}`, "[invalid_user_id]"},
		{"ended", fmt.Sprintf(`{"user_id":"alice","expires":%d}`, now.Unix()), "[token_expired]"},
		{"ended, in words", `{"user_id":"alice","expires":"2001-01-01T00:00:00Z"}`, "[token_expired]"},
		{"not ended", `{"user_id":"alice","expires":"2099-01-01T00:00:00+02:00"}`, "alice"},
		{"a bad end", `{"user_id":"alice","expires":"tomorrow"}`, "[fault]"},
		{"an end beyond all", `{"user_id":"alice","expires":1e300}`, "[fault]"},
		{"an end of another type", `{"user_id":"alice","expires":true}`, "[fault]"},
		{"no end", `{"user_id":"alice","expires":null}`, "alice"},
		{"permissions", `{"user_id":"alice","permissions":["STATUS:READ"]}`, "alice"},
		{"bad permissions", `{"user_id":"alice","permissions":"admin"}`, "[fault]"},
		{"no object", `"alice"`, "[fault]"},
		{"data behind", `{"user_id":"alice"}{}`, "[fault]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f.answers(says(row.text))
			u, err := f.ask(t, sessionHeader, fmt.Sprint("session-", n))
			got := "[" + code(err) + "]"
			if err == nil {
				got = u.Subject
			}
			if got != row.want {
				t.Errorf("%s (%v), want %s", got, err, row.want)
			}
			if err == nil && u.Issuer != f.server.URL+"/whoami" {
				t.Errorf("issuer %q", u.Issuer)
			}
		})
	}
}

func TestPerson(t *testing.T) {
	for _, row := range []struct {
		permissions, text, want string
	}{
		{"", `{"u":{"id":7},"name":"A\nB","groups":["a","b"],"permissions":["admin"],"sub":"other","sid":"s"}`, "7 AB [a b] [] false"},
		{"rights.all", `{"u":{"id":"x"},"groups":"a b","rights":{"all":["STATUS:READ"]}}`, "x  [] [STATUS:READ] true"},
		{"rights.all", `{"u":{"id":"x"}}`, "x  [] [] true"},
	} {
		f := newFixture(t, func(c *webhook.Config) { c.UserID, c.Permissions = "u.id", row.permissions })
		f.answers(says(row.text))
		u, err := f.ask(t, sessionHeader, "x")
		if err != nil {
			t.Error(err)
			continue
		}
		if got := fmt.Sprint(u.Subject, " ", u.Name, " ", u.Groups, " ", u.Permissions, " ", u.Permissions != nil); got != row.want || u.SessionID != "" {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

// TestStatuses: only 401 and 403 refuse; the rest are faults.
func TestStatuses(t *testing.T) {
	f := newFixture(t, nil)
	for n, row := range []struct {
		answer http.HandlerFunc
		want   string
	}{
		{status(401), "not_vouched_for"}, {status(403), "not_vouched_for"},
		{status(404), "setup"}, {status(400), "setup"}, {status(405), "setup"}, {status(500), "fault"}, {status(502), "fault"}, {status(429), "fault"},
		{status(204), "fault"}, {status(201), "fault"},
		{func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, "setup"},
		{says(`{"user_id":"alice"}`, "Content-Type", "text/html"), "setup"},
		{says(`{"user_id":"alice","x":"` + strings.Repeat("x", 300<<10) + `"}`), "fault"},
		{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "fault"},
	} {
		f.answers(row.answer)
		_, err := f.ask(t, sessionHeader, fmt.Sprint("secret-session-", n))
		if got := code(err); got != row.want {
			t.Errorf("%d: %s (%v), want %s", n, got, err, row.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret-session") {
			t.Errorf("the error shows the session: %v", err)
		}
	}
}

// TestSlowService: a service that does not answer in time is a fault.
func TestSlowService(t *testing.T) {
	f := newFixture(t, func(c *webhook.Config) { c.Timeout = 100_000_000 })
	release := make(chan struct{})
	f.answers(func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	start := time.Now()
	if _, err := f.ask(t, sessionHeader, "x"); code(err) != "fault" || time.Since(start) > 10*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

// TestCacheControl: an answer is used as long as it says, and as the setting at most.
func TestCacheControl(t *testing.T) {
	for _, row := range []struct {
		control string
		age     string
		seconds int // for which it is used
	}{
		{"", "", 7}, {"private", "", 7}, {"max-age=3", "", 3}, {"private, Max-Age=\"3\"", "", 3}, {"max-age=3600", "", 7}, {"max-age = 3", "", 3},
		{"no-store", "", 0}, {"no-cache, max-age=5", "", 0}, {"max-age=0", "", 0}, {"max-age=soon", "", 0}, {"max-age=-1", "", 0}, {"max-age=6", "2", 4}, {"max-age=6, max-age=2", "", 2},
	} {
		f := newFixture(t, nil)
		header := []string{"Cache-Control", row.control}
		if row.age != "" {
			header = append(header, "Age", row.age)
		}
		f.answers(says(`{"user_id":"alice"}`, header...))
		used := 0
		for ; used < 100; used++ {
			before := f.asked.Load()
			if _, err := f.ask(t, sessionHeader, "x"); err != nil {
				t.Fatal(err)
			}
			if used > 0 && f.asked.Load() > before {
				break
			}
			if row.seconds == 0 && used == 0 {
				continue
			}
			f.clock.Advance(time.Second)
		}
		if want := max(row.seconds, 1); used < want || used > want+1 {
			t.Errorf("%q, age %q: used for %d s, want %d", row.control, row.age, used, row.seconds)
		}
	}
}

// TestNobodyIsProbed: a service that vouches for a request that shows nothing is not
// believed.
func TestNobodyIsProbed(t *testing.T) {
	clock := authtest.NewClock()
	f := &fixture{service: newService(t), clock: clock}
	f.answers(says(`{"user_id":"alice"}`))
	f.h = open(t, authtest.NewEnv(t, clock), f.config())
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(fmt.Sprint(f.h.(authhandlers.Prober).Ready(t.Context())), "names somebody") {
		if time.Now().After(deadline) {
			t.Fatal("it is ready")
		}
		time.Sleep(2 * time.Millisecond)
	}
	for _, whole := range []http.HandlerFunc{status(401), status(403), says(`{"user_id":null}`)} {
		f.answers(whole)
		f.ready(t, true)
	}
}
