package signin

import (
	"slices"
	"strings"
	"testing"
)

const ownOrigin = "https://own.example"

func listedOrigins() []string {
	return []string{"https://app.example", "http://localhost:3000", "https://app.example:8443", "chrome-extension://abcdef", "capacitor://localhost"}
}

func TestReturnAddressKeeps(t *testing.T) {
	for text, want := range map[string]string{
		"https://app.example":                          "https://app.example/",
		"https://app.example/":                         "https://app.example/",
		"https://app.example/chat?a=b%20c&d=/e":        "https://app.example/chat?a=b%20c&d=/e",
		"https://app.example/#/chat/1?x":               "https://app.example/#/chat/1?x",
		"https://app.example:8443/x":                   "https://app.example:8443/x",
		"http://localhost:3000/_catflap/login":         "http://localhost:3000/_catflap/login", // theirs, not ours
		"https://app.example/?next=https://b.example/": "https://app.example/?next=https://b.example/",
		ownOrigin:                  "/",
		ownOrigin + "/app#/chat/1": "/app#/chat/1",
		ownOrigin + "/admin/?x=1":  "/admin/?x=1",
		"/admin/":                  "/admin/",
	} {
		if got, unlisted := ReturnAddress(text, ownOrigin, listedOrigins(), ownPaths); got != want || unlisted != "" {
			t.Errorf("%q becomes %q, %q", text, got, unlisted)
		}
	}
}

func TestReturnAddressRefuses(t *testing.T) {
	for text, unlisted := range map[string]string{
		// Other origins, however alike.
		"https://evil.example/":              "https://evil.example",
		"https://app.example.evil.example/":  "https://app.example.evil.example",
		"https://app.examplee/":              "https://app.examplee",
		"https://app.example@evil.example/":  "https://evil.example",
		"https://app.example:443/":           "https://app.example:443",
		"https://app.example:84433/":         "https://app.example:84433",
		"https://app.example:/":              "https://app.example:",
		"http://app.example/":                "http://app.example",
		"https://APP.example/":               "https://APP.example",
		"HTTPS://app.example/":               "https://app.example",
		"https://app.example./":              "https://app.example.",
		"https://x.app.example/":             "https://x.app.example",
		"https://app.example?x":              "https://app.example",
		"https://app.example#x":              "https://app.example",
		`https://app.example\@evil.example/`: "",
		"https://app.example\t/":             "",
		" https://app.example/":              "",
		// Listed, and not to be led to.
		"chrome-extension://abcdef/x.html": "",
		"capacitor://localhost/":           "",
		// A listed origin with a path that could be read in two ways.
		"https://app.example/a\\b":                         "https://app.example",
		"https://app.example/a b":                          "https://app.example",
		"https://app.example/../x":                         "https://app.example",
		"https://app.example//evil":                        "https://app.example",
		"https://app.example/x#a#b":                        "https://app.example",
		"https://app.example/%0d%0aX":                      "https://app.example",
		"https://app.example/" + strings.Repeat("a", 1024): "https://app.example",
		// Our own origin leads in a circle no more than a path does.
		ownOrigin + "/_catflap/login":    "",
		ownOrigin + "/_catflap/logout#x": "",
		ownOrigin + "//evil.example":     "",
		"javascript:alert(1)":            "",
		"":                               "",
	} {
		if got, told := ReturnAddress(text, ownOrigin, listedOrigins(), ownPaths); got != "/" || told != unlisted {
			t.Errorf("%q leads to %q, and is told as %q", text, got, told)
		}
	}
}

func TestReturnAddressOfPayloads(t *testing.T) {
	for _, text := range payloads(t) {
		if got, _ := ReturnAddress(text, "https://mine.example", []string{"https://app.example"}, ownPaths); got != "/" {
			t.Errorf("%q leads to %q", text, got)
		}
	}
}

// FuzzReturnAddress holds that nobody is sent to an origin that is not listed,
// as a browser reads the address.
func FuzzReturnAddress(f *testing.F) {
	for _, text := range payloads(f) {
		f.Add(text)
		f.Add("https://app.example" + text)
	}
	f.Add("https://app.example/#/chat")
	good := append([]string{ownOrigin}, listedOrigins()[:3]...)
	f.Fuzz(func(t *testing.T, text string) {
		got, _ := ReturnAddress(text, ownOrigin, listedOrigins(), ownPaths)
		if at := resolved(t, got); !slices.Contains(good, at) {
			t.Fatalf("%q leads to %s", text, at)
		}
		if strings.HasPrefix(got, "/") != (resolved(t, got) == ownOrigin) {
			t.Fatalf("%q becomes %q", text, got)
		}
	})
}
