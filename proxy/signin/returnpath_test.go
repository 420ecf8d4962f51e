package signin

import (
	"net/url"
	"os"
	"strings"
	"testing"
)

func ownPaths(path string) bool {
	return strings.HasPrefix(path, "/_catflap/") || strings.HasPrefix(path, "/auth/login")
}

// payloads are texts by which somebody has tried to lead people elsewhere.
func payloads(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/return_to.txt")
	if err != nil {
		t.Fatal(err)
	}
	var l []string
	for line := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n"), "\n") {
		if strings.HasPrefix(line, "# ") {
			continue
		}
		l = append(l, strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\r`, "\r", `\0`, "\x00", `\x`, "\u00a0").Replace(line))
	}
	if len(l) < 100 {
		t.Fatalf("only %d payloads", len(l))
	}
	return l
}

func TestReturnPathRefuses(t *testing.T) {
	for _, text := range payloads(t) {
		if got := ReturnPath(text, ownPaths); got != "/" {
			t.Errorf("%q leads to %q", text, got)
		}
	}
}

func TestReturnPathKeeps(t *testing.T) {
	for _, text := range []string{
		"/", "/?", "/admin/", "/admin/memory", "/admin/plugins?tab=2&x=a%20b", "/static/chat.html", "/memory/recall?text=what%3F&k=10",
		"/users/a@b", "/a/b;v=1/c", "/caf%C3%A9", "/a%20b", "/?next=https://elsewhere.example/", "/a//"[:3], "/?a=//b", "/-", "/x?y=/../z", "/~a", "/a%252520b",
	} {
		if got := ReturnPath(text, ownPaths); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// resolved is where a browser goes (WHATWG URL §4.4): it drops tabs and new lines,
// trims white space, and takes a backslash for a slash.
func resolved(t testing.TB, text string) string {
	t.Helper()
	text = strings.Trim(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(text), " \x00\f")
	text = strings.ReplaceAll(text, `\`, "/")
	base, _ := url.Parse("https://own.example/_catflap/callback")
	u, err := base.Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return u.Scheme + "://" + u.Host
}

// FuzzReturnPath holds that nobody is sent to another place, whoever reads the
// path and however often it is decoded.
func FuzzReturnPath(f *testing.F) {
	for _, text := range payloads(f) {
		f.Add(text)
	}
	f.Add("/admin/memory?x=1")
	f.Fuzz(func(t *testing.T, text string) {
		got := ReturnPath(text, ownPaths)
		if got != text && got != "/" {
			t.Fatalf("%q became %q", text, got)
		}
		path, _, _ := strings.Cut(got, "?")
		for range 4 {
			if ownPaths(path) {
				t.Fatalf("%q leads in a circle", text)
			}
			if strings.HasPrefix(path, "//") || path == "" || path[0] != '/' {
				t.Fatalf("%q leads to %q", text, path)
			}
			if at := resolved(t, path); at != "https://own.example" {
				t.Fatalf("%q leads to %s", text, at)
			}
			next, err := url.PathUnescape(path)
			if err != nil || next == path {
				break
			}
			path = next
		}
	})
}
