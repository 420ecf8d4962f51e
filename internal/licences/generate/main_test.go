package main

import (
	"os"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/licences"
)

// TestTheTextsAreThoseOfTheBuild: run `make generate` when a dependency has changed.
func TestTheTextsAreThoseOfTheBuild(t *testing.T) {
	parts, err := built()
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) < 10 {
		t.Fatalf("only %d parts", len(parts))
	}
	for _, p := range parts[1:] {
		texts, err := p.texts()
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.Contains(licences.ThirdParty(), texts) {
			t.Errorf("the text of %s is missing or old", p.name)
		}
	}
	if n := strings.Count(licences.ThirdParty(), "\n=== ") + 1; n < len(parts) {
		t.Errorf("%d texts of %d parts", n, len(parts))
	}
	if !strings.HasPrefix(licences.ThirdParty(), "=== The Go standard library: LICENSE\n") {
		t.Error("Go's own text is missing")
	}
}

// TestTheImageCarriesThem holds the Dockerfile to the two texts.
func TestTheImageCarriesThem(t *testing.T) {
	b, err := os.ReadFile("../../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"COPY --from=build /src/LICENSE /licences/LICENSE\n", "COPY --from=build /src/internal/licences/third_party.txt /licences/third_party.txt\n",
	} {
		if !strings.Contains(string(b), line) {
			t.Errorf("the Dockerfile lacks %q", line)
		}
	}
}
