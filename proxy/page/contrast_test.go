package page

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// pairs are the colours that meet, and how much they must differ: 4.5 for text
// (WCAG 2.2 §1.4.3), 3 for what one must see to use the page (§1.4.11).
func pairs() []pair {
	return []pair{
		{"text", "ground", 4.5}, {"text", "card", 4.5}, {"text", "notice", 4.5}, {"text", "control-over", 4.5},
		{"quiet", "card", 4.5}, {"accent", "card", 4.5}, {"accent-over", "card", 4.5},
		{"on-accent", "accent", 4.5}, {"on-accent", "accent-over", 4.5},
		{"control", "card", 3}, {"accent", "card", 3}, {"notice-edge", "card", 3}, {"notice-edge", "notice", 3}, {"focus", "card", 3},
	}
}

type pair struct {
	over, under string
	least       float64
}

func stylesheet(t *testing.T) string {
	t.Helper()
	b, err := files.ReadFile("files/page.css")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(b), "")
}

// schemes reads the colours of the light scheme and of the dark one.
func schemes(t *testing.T, css string) map[string]map[string]float64 {
	t.Helper()
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(css, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of colours", len(blocks))
	}
	out := map[string]map[string]float64{}
	for i, name := range []string{"light", "dark"} {
		out[name] = map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(blocks[i][1], -1) {
			out[name][m[1]] = luminance(t, m[2])
		}
	}
	return out
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }

func TestContrast(t *testing.T) {
	if c := contrast(luminance(t, "ffffff"), luminance(t, "767676")); math.Abs(c-4.54) > 0.01 {
		t.Fatalf("white on #767676 is 4.54, not %.2f", c)
	}
	for scheme, colours := range schemes(t, stylesheet(t)) {
		for _, p := range pairs() {
			over, ok1 := colours[p.over]
			under, ok2 := colours[p.under]
			if !ok1 || !ok2 {
				t.Fatalf("%s: no colour %s or %s", scheme, p.over, p.under)
			}
			if c := contrast(over, under); c < p.least {
				t.Errorf("%s: %s on %s is %.2f, less than %.1f", scheme, p.over, p.under, c, p.least)
			}
		}
	}
}

// TestStylesheet holds that the colours checked are all the colours there are,
// and that the sheet loads nothing.
func TestStylesheet(t *testing.T) {
	css := stylesheet(t)
	for scheme, colours := range schemes(t, css) {
		for _, m := range regexp.MustCompile(`var\(--([a-z-]+)\)`).FindAllStringSubmatch(css, -1) {
			if _, ok := colours[m[1]]; !ok {
				t.Errorf("%s: no colour %s", scheme, m[1])
			}
		}
		for name := range colours {
			if !strings.Contains(css, "var(--"+name+")") {
				t.Errorf("%s: the colour %s is not used", scheme, name)
			}
		}
	}
	rest := regexp.MustCompile(`(?s):root \{.*?\}`).ReplaceAllString(css, "")
	if m := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(|oklch\(|opacity`).FindString(rest); m != "" {
		t.Errorf("a colour that is not checked: %s", m)
	}
	for _, bad := range []string{"url(", "@import", "@font-face", "image-set(", "outline: none", "outline: 0", "//"} {
		if strings.Contains(css, bad) {
			t.Errorf("the sheet has %q", bad)
		}
	}
	if !strings.Contains(css, ":focus-visible") {
		t.Error("what has the focus can't be seen")
	}
}
