package examples

import (
	"net/http"
	"strings"
	"testing"
)

// TestGuests: people with a token are themselves, and each guest somebody else.
func TestGuests(t *testing.T) {
	s := serve(t, example{
		program: binary, args: []string{"run", "--config", configPath}, config: read(t, "handlers/anonymous.catflap.yaml"),
		env: []string{"CCAT_JWT_SECRET", "CAT_READER_ACCOUNT_ID", "CAT_CHAT_ACCOUNT_ID", "CATFLAP_SESSION_KEY"},
	})
	s.mustServe(t)
	ask := func(method, path string, cookie *http.Cookie) (int, []*http.Cookie) {
		req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if cookie != nil {
			req.AddCookie(cookie)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close() // only the head counts
		return resp.StatusCode, resp.Cookies()
	}
	seen := map[string]bool{}
	for n := range 8 {
		status, cookies := ask(http.MethodPost, "/_catflap/guest", nil)
		if status != http.StatusOK || len(cookies) != 1 {
			t.Fatalf("guest %d: %d, %d cookies", n, status, len(cookies))
		}
		s.cat.ForgetRequests()
		if status, _ := ask(http.MethodGet, "/", cookies[0]); status != http.StatusOK {
			t.Errorf("guest %d: %d", n, status)
		}
		for _, r := range s.cat.Requests() {
			if strings.HasPrefix(r.User, "guest:") {
				seen[r.User] = true
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("8 guests are %d at the Cat", len(seen))
	}
	if status, _ := ask(http.MethodPost, "/_catflap/guest", nil); status != http.StatusTooManyRequests {
		t.Errorf("one more of the address: %d", status)
	}
}
