package session_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/session"
)

func TestTickets(t *testing.T) {
	f := memoryFlap(t)
	person := &authhandlers.AuthUserInfo{ID: "staff:alice", Handler: "staff", Issuer: issuer, Subject: "alice", Groups: []string{"g"},
		Permissions: []string{}, Expiry: f.clock.Now().Add(time.Hour)}
	for _, ticket := range []session.Ticket{{Session: "s_x", Origin: "https://app.example"}, {Person: person, Origin: "null"}} {
		text, life, err := f.IssueTicket(t.Context(), ticket)
		if err != nil || life != 30*time.Second || !session.IsTicket(text) {
			t.Fatal(text, life, err)
		}
		got, err := f.RedeemTicket(t.Context(), text)
		if err != nil || !reflect.DeepEqual(*got, ticket) {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = f.RedeemTicket(t.Context(), text)
		want(t, err, session.ErrNoSession)
		text, _, err = f.IssueTicket(t.Context(), ticket)
		must(t, err)
		f.clock.Advance(30 * time.Second)
		_, err = f.RedeemTicket(t.Context(), text)
		want(t, err, session.ErrNoSession)
	}
	for _, ticket := range []session.Ticket{{}, {Session: "s", Person: person}} {
		if _, _, err := f.IssueTicket(t.Context(), ticket); err == nil {
			t.Errorf("%+v", ticket)
		}
	}
}

func TestIsTicket(t *testing.T) {
	for text, is := range map[string]bool{
		"cft_" + strings.Repeat("A", 43):        true,
		"cft_" + strings.Repeat("A", 42):        false,
		"cft_" + strings.Repeat("A", 44):        false,
		"CFT_" + strings.Repeat("A", 43):        false,
		"cft_" + strings.Repeat("A", 42) + "\n": false,
		"cft_" + strings.Repeat("A", 42) + "B":  false, // bits beyond the 256
		"":                                      false, "cft_": false, "eyJ.a.b": false,
	} {
		if session.IsTicket(text) != is {
			t.Errorf("%q", text)
		}
	}
}

func TestTicketsOfOneHolderAreBounded(t *testing.T) {
	f := memoryFlap(t)
	for range 32 {
		_, _, err := f.IssueTicket(t.Context(), session.Ticket{Session: "s_x"})
		must(t, err)
	}
	_, _, err := f.IssueTicket(t.Context(), session.Ticket{Session: "s_x"})
	want(t, err, session.ErrTooMany)
	_, _, err = f.IssueTicket(t.Context(), session.Ticket{Session: "s_y"})
	must(t, err)
	f.clock.Advance(30 * time.Second)
	_, _, err = f.IssueTicket(t.Context(), session.Ticket{Session: "s_x"})
	must(t, err)
}
