package standin_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/catflap/catflap/internal/demo/standin"
)

func fetch(t *testing.T, cat *standin.Running, path string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, cat.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "ccat_user_token", Value: "http-key"})
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestThePanelNeedsNoScriptOfItsOwn: it works under the policy that the real one
// works under, and finds all that it loads.
func TestThePanelNeedsNoScriptOfItsOwn(t *testing.T) {
	cat := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key"})
	for _, page := range []string{"/admin/", "/admin/memory", "/admin/settings/"} {
		resp, text := fetch(t, cat, page)
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
			t.Fatalf("%s: %d", page, resp.StatusCode)
		}
		if regexp.MustCompile(`(?i)<script[^>]*>[^<]|\son\w+=|javascript:`).MatchString(text) {
			t.Errorf("%s has a script of its own", page)
		}
		for kind, want := range map[string]string{"js": "text/javascript", "css": "text/css"} {
			name := regexp.MustCompile(`"(/admin/assets/\w+\.` + kind + `)"`).FindStringSubmatch(text)
			if name == nil {
				t.Fatalf("%s loads no %s", page, kind)
			}
			if resp, _ := fetch(t, cat, name[1]); resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), want) {
				t.Errorf("%s: %d %s", name[1], resp.StatusCode, resp.Header.Get("Content-Type"))
			}
		}
	}
}

func TestStaticFiles(t *testing.T) {
	files := fstest.MapFS{"chat.html": {Data: []byte("<p>hi</p>")}, "a/b.css": {Data: []byte("p{}")}}
	cat := start(t, standin.Options{APIKey: "http-key", APIKeyWS: "ws-key", Static: files})
	for path, want := range map[string]int{
		"/static/chat.html": http.StatusOK, "/static/a/b.css": http.StatusOK, "/static/hello.txt": http.StatusOK,
		"/static/a": http.StatusNotFound, "/static/": http.StatusNotFound, "/static/none": http.StatusNotFound,
		"/core-static/chat.html": http.StatusNotFound, "/static/..%2fcore-static%2fcore.css": http.StatusNotFound,
		"/static/..%2f..%2fpage.go": http.StatusNotFound, "/admin/assets": http.StatusOK, "/admin/assets/none": http.StatusNotFound,
	} {
		if resp, _ := fetch(t, cat, path); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}
