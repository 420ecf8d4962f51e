package proxy

import (
	"net/http"
	"testing"

	"github.com/catflap/catflap/proxy/permission"
)

// A browser asks for the icon at each page, and nobody is refused for it.
func TestIcon(t *testing.T) {
	public, err := permission.New(permission.Rules{Everyone: []string{"base"}, Public: []string{"GET /favicon.ico"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		lab     *lab
		method  string
		status  int
		outcome Outcome
		asked   int // the Cat
	}{
		{"without pages", newLab(t, nil), "GET", 204, OutcomePage, 0},
		{"with pages", newDesk(t, nil, &desk{title: "desk"}), "GET", 302, OutcomePage, 0},
		{"HEAD", newDesk(t, nil, &desk{title: "desk"}), "HEAD", 302, OutcomePage, 0},
		{"of the Cat's", newLab(t, func(o *Options) { o.Policy = public }), "GET", 200, OutcomeAllowed, 1},
		{"another method", newLab(t, nil), "POST", 401, OutcomeRefused, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, text := c.lab.send(t, c.lab.request(t, c.method, "/favicon.ico", "", ""))
			if resp.StatusCode != c.status || c.lab.record(t, 1).Outcome != c.outcome || c.lab.cat.count() != c.asked {
				t.Errorf("%d %s, asked %d times: %s", resp.StatusCode, c.lab.record(t, 1).Outcome, c.lab.cat.count(), text)
			}
			if to := resp.Header.Get("Location"); to != "" {
				if icon, _ := c.lab.send(t, c.lab.request(t, c.method, to, "", "")); icon.StatusCode != http.StatusOK || icon.Header.Get("Content-Type") != "image/svg+xml" {
					t.Errorf("the icon: %d %s", icon.StatusCode, icon.Header.Get("Content-Type"))
				}
			}
		})
	}
}
