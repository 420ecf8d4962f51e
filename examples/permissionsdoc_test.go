package examples

import (
	"regexp"
	"strings"
	"testing"

	"github.com/catflap/catflap/proxy/cat"
)

// TestThePermissionTable holds the table of docs/permissions.md to the contract:
// each endpoint stands there with what it needs, and nothing else does.
func TestThePermissionTable(t *testing.T) {
	_, table, ok := strings.Cut(read(t, "../docs/permissions.md"), "| endpoint | needs |")
	if !ok {
		t.Fatal("docs/permissions.md has no table of endpoints")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	written := map[string][2]string{}
	endpoint := regexp.MustCompile("`([A-Z]+ /[^`]*)`")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		for _, m := range endpoint.FindAllStringSubmatch(cells[1], -1) {
			base, _, _ := strings.Cut(strings.TrimSpace(cells[3]), ":")
			written[m[1]] = [2]string{strings.Trim(cells[2], " `"), base}
		}
	}
	delete(written, "WS /ws") // another spelling of the same
	for _, r := range cat.V1().Routes() {
		needs, base := r.Needs.String(), "no"
		if r.Admin {
			needs = "admin"
		}
		if r.Base || r.Own && cat.Base.Has(r.Needs) {
			base = "yes"
		}
		if got, want := written[r.Pattern], [2]string{needs, base}; got != want {
			t.Errorf("%s: the page says %q, the contract %q", r.Pattern, got, want)
		}
		delete(written, r.Pattern)
	}
	for pattern := range written {
		t.Errorf("the page names %s, which the contract does not know", pattern)
	}
}
