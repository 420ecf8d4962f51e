package demo

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ours is the style sheet of Catflap's own pages.
const ours = "../../proxy/page/files/page.css"

func sheet(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheDemoLooksLikeCatflap: its pages have the colours of Catflap's own, in
// both schemes, and no others, so that the contrasts computed there hold here.
func TestTheDemoLooksLikeCatflap(t *testing.T) {
	schemes := regexp.MustCompile(`(?s):root \{.*?\}`)
	want := schemes.FindAllString(sheet(t, ours), -1)
	if len(want) != 2 {
		t.Fatalf("%d blocks of colours", len(want))
	}
	if got := schemes.FindAllString(sheet(t, "provider/page/style.css"), -1); !slices.Equal(got, want) {
		t.Errorf("the provider has other colours: %s", got)
	}
	if page := sheet(t, "page/chat.html"); !strings.Contains(page, `href="/_catflap/page.css"`) {
		t.Error("the chat page does not load Catflap's own sheet")
	}
	known := regexp.MustCompile(`--([a-z-]+): #`)
	for _, file := range []string{"provider/page/style.css", "page/chat.css"} {
		rest := schemes.ReplaceAllString(sheet(t, file), "")
		if m := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b *[;}]|rgba?\(|hsla?\(`).FindString(rest); m != "" {
			t.Errorf("%s: a colour of its own: %s", file, m)
		}
		for _, m := range regexp.MustCompile(`var\(--([a-z-]+)\)`).FindAllStringSubmatch(rest, -1) {
			if !slices.ContainsFunc(known.FindAllStringSubmatch(want[0], -1), func(k []string) bool { return k[1] == m[1] }) {
				t.Errorf("%s: no colour %s", file, m[1])
			}
		}
	}
}
