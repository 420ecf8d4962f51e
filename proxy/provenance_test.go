package proxy

import (
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/proxy/refusals"
)

// TestARefusedPageIsNamed: the log says where a request came from that was refused for
// that, and where it would have had to come from.
func TestARefusedPageIsNamed(t *testing.T) {
	l := newDesk(t, nil, &desk{title: "desk"})
	b := l.browser(t)
	b.signIn("alice")
	if resp, _ := b.send("POST", "/message", "{}", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}); resp.StatusCode != 403 {
		t.Fatal(resp.StatusCode)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.records, func(r Record) bool { return r.Code == refusals.CrossSiteRequest })
	if i < 0 || l.records[i].Err == nil {
		t.Fatal("nothing is logged")
	}
	for _, want := range []string{"https://evil.example", "cross-site", publicURL, "https://app.example.com"} {
		if text := l.records[i].Err.Error(); !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
}
