package proxy

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const listedOrigin = "https://app.example.com" // as newLab lists it

// TestATicketIsForOneSocket: where it stands for a token of HTTP calls it is refused,
// in words that help.
func TestATicketIsForOneSocket(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	b := l.browser(t)
	b.signIn("alice")
	_, text := b.script(http.MethodPost, ticketPage, "")
	var given struct{ Ticket string }
	if err := json.Unmarshal([]byte(text), &given); err != nil || given.Ticket == "" {
		t.Fatalf("no ticket: %s", text)
	}
	for _, header := range []map[string]string{
		{"Authorization": "Bearer " + given.Ticket, "access_token": given.Ticket}, // as ccat-api sends it
		{"access_token": given.Ticket},
	} {
		header["Sec-Fetch-Site"], header["Origin"] = "same-origin", publicURL
		for _, target := range []string{"/memory/conversation_history", "/custom/public/x", "/_catflap/session"} {
			resp, text := b.send(http.MethodGet, target, "", header)
			if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(text, `"code":"ticket_invalid"`) || !strings.Contains(text, "a ticket opens one WebSocket") || strings.Contains(text, given.Ticket) {
				t.Errorf("%s: %d %s", target, resp.StatusCode, text)
			}
		}
	}
	if n := l.cat.count(); n != 0 {
		t.Errorf("%d requests have reached the Cat", n)
	}
}

// TestAListedPageSignsOut: it reads where to go from there, and no other page does.
func TestAListedPageSignsOut(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	for origin, want := range map[string]int{listedOrigin: http.StatusOK, "https://evil.example": http.StatusForbidden} {
		b := l.browser(t)
		b.signIn("alice")
		resp, text := b.send(http.MethodPost, logoutPage, "", map[string]string{
			"Origin": origin, "Accept": "application/json", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty",
		})
		listed := want == http.StatusOK
		if resp.StatusCode != want || listed != strings.Contains(text, `"redirect"`) || listed != (b.is() == "") {
			t.Errorf("%s: %d %s", origin, resp.StatusCode, text)
		}
		if got := resp.Header.Get("Access-Control-Allow-Origin"); (got == origin) != listed || !listed && got != "" {
			t.Errorf("%s may read it: %q", origin, got)
		}
	}
}
