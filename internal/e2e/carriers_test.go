package e2e

import (
	"strings"
	"testing"
)

// carrying is a way to bring a token. ME is the person's token, ME2 another good
// one of the same person, YOU another person's.
type carrying struct {
	name   string
	query  string
	lines  []string
	http   int // the status over plain HTTP
	socket int // and of a handshake
}

// carryings: one request, one credential (RFC 6750 §2). What the stock clients do,
// sending one token in several places, is one credential.
var carryings = []carrying{
	{"nothing", "", nil, 401, 401},
	{"Authorization", "", []string{"Authorization: Bearer ME"}, 200, 101},
	{"Authorization in lower case", "", []string{"authorization: bearer ME"}, 200, 101},
	{"the Cat's legacy header", "", []string{"access_token: ME"}, 200, 101},
	{"both, the same", "", []string{"access_token: ME", "Authorization: Bearer ME"}, 200, 101},
	{"both, of two people", "", []string{"access_token: YOU", "Authorization: Bearer ME"}, 400, 400},
	{"both, two of one person", "", []string{"access_token: ME2", "Authorization: Bearer ME"}, 400, 400},
	{"empty legacy header", "", []string{"access_token:", "Authorization: Bearer ME"}, 200, 101},
	{"empty Authorization", "", []string{"Authorization:", "access_token: ME"}, 200, 101},
	{"empty Bearer", "", []string{"Authorization: Bearer ", "access_token: ME"}, 200, 101},
	{"all empty", "token=", []string{"Authorization:", "access_token:"}, 401, 401},
	{"legacy header twice, of two people", "", []string{"access_token: ME", "access_token: YOU"}, 400, 400},
	{"legacy header as a list", "", []string{"access_token: ME, YOU"}, 400, 400},
	{"Authorization twice, the same", "", []string{"Authorization: Bearer ME", "Authorization: Bearer ME"}, 400, 400},
	{"Authorization as a list", "", []string{"Authorization: Bearer ME, Bearer YOU"}, 400, 400},
	{"two spaces", "", []string{"Authorization: Bearer  ME"}, 400, 400},
	{"tab", "", []string{"Authorization: Bearer\tME"}, 400, 400},
	{"quoted", "", []string{`Authorization: Bearer "ME"`}, 400, 400},
	{"no scheme", "", []string{"Authorization: ME"}, 400, 400},
	{"other scheme", "", []string{"Authorization: Basic ME"}, 401, 401},
	{"query", "token=ME", nil, 401, 101},
	{"query behind a semicolon", "a;token=ME", nil, 401, 101},
	{"query escaped", "%74oken=ME", nil, 401, 101},
	{"query twice, the same", "token=ME&token=ME", nil, 401, 101},
	{"query twice, of two people", "token=ME&token=YOU", nil, 401, 400},
	{"query, the second behind a semicolon", "token=ME&a;token=YOU", nil, 401, 400},
	{"query and Authorization, the same", "token=ME", []string{"Authorization: Bearer ME"}, 200, 101},
	{"query and Authorization, of two people", "token=YOU", []string{"Authorization: Bearer ME"}, 200, 400},
	{"query with an old client's path", "token=ME&x=/user", nil, 401, 101},
	{"sub-protocol", "", []string{"Sec-WebSocket-Protocol: bearer, ME"}, 401, 101},
	{"sub-protocol of two lines", "", []string{"Sec-WebSocket-Protocol: bearer", "Sec-WebSocket-Protocol: ME"}, 401, 101},
	{"sub-protocol of two people", "", []string{"Sec-WebSocket-Protocol: bearer, ME, YOU"}, 401, 400},
	{"sub-protocol and Authorization, of two people", "", []string{"Sec-WebSocket-Protocol: bearer, YOU", "Authorization: Bearer ME"}, 200, 400},
	{"cookies of the Cat", "", []string{"Cookie: ccat_user_token=ME; access_token=ME"}, 401, 401},
	{"form of the name with a dash", "", []string{"access-token: ME"}, 401, 401},
}

func TestCarriers(t *testing.T) {
	cat := startCat(t)
	f := start(t, config{cat: cat.tap.addr})
	for _, row := range carryings {
		t.Run(row.name, func(t *testing.T) {
			subject := "carrier-" + fold(row.name)
			fill := strings.NewReplacer("ME2", staff.token(subject), "ME", staff.token(subject), "YOU", bob())
			lines := make([]string, len(row.lines))
			for i, l := range row.lines {
				lines[i] = fill.Replace(l)
			}
			target := "/message?" + fill.Replace(row.query)
			row.try(t, cat, exchange(t, f.addr, "POST", request("POST "+target, f.addr, "", `{"text":"x"}`, lines...)), row.http, 200, subject)
			handshake := append(lines, strings.Split(strings.TrimSuffix(upgradeLines, "\r\n"), "\r\n")...)
			target = "/ws/somebody?" + fill.Replace(row.query)
			row.try(t, cat, exchange(t, f.addr, "GET", request("GET "+target, f.addr, "", "", handshake...)), row.socket, 101, subject)
		})
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

func (c carrying) try(t *testing.T, cat *catBehindTap, got answer, want, good int, subject string) {
	t.Helper()
	c.tryAs(t, cat, got, want, good, idOf(subject))
}

// tryAs is try for somebody with another alias.
func (c carrying) tryAs(t *testing.T, cat *catBehindTap, got answer, want, good int, id string) {
	t.Helper()
	if got.status != want {
		t.Errorf("status %d, want %d: %s", got.status, want, clip(got.body, 200))
	}
	arrived := cat.tap.take()
	if want == good {
		exactlyOne(t, arrived, id)
		return
	}
	got.refusal(t, want)
	none(t, arrived)
}
