package proxy

import (
	"net/http"
	"strings"
	"testing"
)

// TestEveryRoute decides every endpoint of the Cat for nobody, a base user, an
// editor (UPLOAD:WRITE and MEMORY:READ by name) and an administrator. The columns
// are written by hand from the Cat's contract, not from the code: + is forwarded,
// - is refused.
func TestEveryRoute(t *testing.T) {
	table := `
		GET     /                                      - + + +
		POST    /message                               - + + +
		GET     /memory/conversation_history           - + + +
		DELETE  /memory/conversation_history           - + + +
		GET     /memory/recall                         - + + +
		POST    /memory/recall                         - + + +
		GET     /memory/collections                    - - + +
		DELETE  /memory/collections                    - - - +
		DELETE  /memory/collections/episodic           - - - +
		GET     /memory/collections/episodic/points    - - + +
		POST    /memory/collections/episodic/points    - - - +
		DELETE  /memory/collections/episodic/points    - - - +
		PUT     /memory/collections/episodic/points/1  - - - +
		DELETE  /memory/collections/episodic/points/1  - - - +
		POST    /rabbithole/                           - - + +
		POST    /rabbithole/batch                      - - + +
		POST    /rabbithole/web                        - - - +
		POST    /rabbithole/memory                     - - - +
		GET     /rabbithole/allowed-mimetypes          - - + +
		GET     /plugins/                              - - - +
		POST    /plugins/upload                        - - - +
		POST    /plugins/upload/registry               - - - +
		PUT     /plugins/toggle/x                      - - - +
		GET     /plugins/settings                      - - - +
		GET     /plugins/settings/x                    - - - +
		PUT     /plugins/settings/x                    - - - +
		GET     /plugins/x                             - - - +
		DELETE  /plugins/x                             - - - +
		GET     /settings/                             - - - +
		POST    /settings/                             - - - +
		GET     /settings/1                            - - - +
		PUT     /settings/1                            - - - +
		DELETE  /settings/1                            - - - +
		GET     /llm/settings                          - - - +
		GET     /llm/settings/x                        - - - +
		PUT     /llm/settings/x                        - - - +
		GET     /embedder/settings                     - - - +
		GET     /embedder/settings/x                   - - - +
		PUT     /embedder/settings/x                   - - - +
		GET     /auth_handler/settings                 - - - +
		GET     /auth_handler/settings/x               - - - +
		PUT     /auth_handler/settings/x               - - - +
		GET     /users/                                - - - +
		POST    /users/                                - - - +
		GET     /users/1                               - - - +
		PUT     /users/1                               - - - +
		DELETE  /users/1                               - - - +
		GET     /auth/available-permissions            - - - +
		GET     /auth/login                            - - - +
		POST    /auth/login                            - - - +
		POST    /auth/token                            - - - +
		GET     /admin/                                - - - +
		GET     /admin/assets/x.js                     - - - +
		GET     /docs                                  - - - +
		GET     /openapi.json                          - - - +
		GET     /static/x.css                          - + + +
		GET     /core-static/x.css                     - + + +
		GET     /custom/x                              - - - +
		POST    /custom/x                              - - - +
		GET     /message                               - - - +
		PUT     /llm/settings                          - - - +
		get     /llm/settings                          - - - +`
	lab := newLab(t, nil)
	people := []string{"", "base", "editor", "admin"}
	decided := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(table)) {
		f := strings.Fields(line)
		method, path := f[0], f[1]
		if r, ok := lab.contract.Route(method, path); ok {
			decided[r.Pattern] = true
		}
		for i, who := range people {
			seen := lab.cat.count()
			status, _ := lab.do(t, method, path, who, "")
			forwarded := lab.cat.count() > seen
			if forwarded != (f[2+i] == "+") {
				t.Errorf("%s %s as %q: forwarded %v, status %d", method, path, who, forwarded, status)
			}
			want := http.StatusForbidden
			switch {
			case forwarded:
				want = http.StatusOK
			case who == "":
				want = http.StatusUnauthorized
			}
			if status != want {
				t.Errorf("%s %s as %q: %d, want %d", method, path, who, status, want)
			}
		}
	}
	for _, r := range lab.contract.Routes() {
		if !decided[r.Pattern] && !strings.HasPrefix(r.Pattern, "WS ") {
			t.Errorf("%s is not in the table", r.Pattern)
		}
	}
}
