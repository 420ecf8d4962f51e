package session_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

// TestTicketsWithoutSessions: tickets need no browser. Those who come by one credential
// have a share in common, under any names, and the others keep theirs.
func TestTicketsWithoutSessions(t *testing.T) {
	m, err := session.New(t.Context(), session.Options{
		Store: session.NewMemory(nil, 10), TicketsOnly: true, Idle: time.Hour, Lifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	issue := func(subject, group string) (string, error) {
		u := &authhandlers.AuthUserInfo{Issuer: "i", Subject: subject, Evidence: "e"}
		text, _, err := m.IssueTicket(t.Context(), session.Ticket{Person: u, Group: group})
		return text, err
	}
	text, err := issue("ada", "shop")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.RedeemTicket(t.Context(), text); err != nil || got.Person.Subject != "ada" || got.Group != "" {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := m.RedeemTicket(t.Context(), text); !errors.Is(err, session.ErrNoSession) {
		t.Errorf("a second time: %v", err)
	}
	n := 0
	for ; err == nil && n < 5000; n++ {
		_, err = issue(fmt.Sprint("person-", n), "shop")
	}
	if !errors.Is(err, session.ErrTooMany) || n < 1000 {
		t.Errorf("%v after %d", err, n)
	}
	for _, group := range []string{"", "blog"} {
		if _, err := issue("bo", group); err != nil {
			t.Errorf("others have no share left: %v", err)
		}
	}
	if err := m.TakeCookies("https://chat.example.com"); err != nil {
		t.Error(err)
	}
	if m.TakeCookies("http://chat.example.com") == nil {
		t.Error("cookies over plain http")
	}
}
