package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/authhandlers/oidc"
	"github.com/catflap/catflap/proxy/refusals"
)

// TestDocumentedNames holds docs/operations.md to the source: whoever searches it
// for what stands in a log line, in an answer or in a metric finds it, and nothing
// stands there that is no more.
func TestDocumentedNames(t *testing.T) {
	page := source(t, "docs/operations.md")
	for _, c := range []struct {
		what, file, pattern, prefix string
		least                       int
	}{
		{"metric", "internal/telemetry/metrics.go", `(?:counter|gauge)\("([a-z_]+)"|Name: "([a-z_]+)"`, "catflap_", 10},
		{"metric", "internal/telemetry/sockets.go", `(?:counter|gauge)\("([a-z_]+)"|Name: "([a-z_]+)"`, "catflap_", 4},
		{"metric", "internal/telemetry/certificate.go", `Name: "([a-z_]+)"`, "catflap_", 1},
		{"metric", "internal/telemetry/guests.go", `Name: "([a-z_]+)"`, "catflap_", 1},
		{"metric", "internal/telemetry/cats.go", `NewDesc\("catflap_([a-z_]+)"`, "catflap_", 1},
		{"field", "internal/telemetry/audit.go", `slog\.[A-Z]\w+\("([a-z_]+)"|\{"([a-z_]+)", `, "", 20},
		{"event", "authhandlers/jwt/handler.go", `observe\("([a-z_]+)"`, "", 3},
		{"event", "authhandlers/jwt/verifier.go", `observe\("([a-z_]+)"`, "", 2},
		{"event", "authhandlers/oidc/discovery.go", `observe\("([a-z_]+)"`, "", 3},
		{"event", "authhandlers/anonymous/config.go", `event[A-Z]\w+ += "([a-z_]+)"`, "", 7},
		{"event", "internal/keyset/url.go", `observe\("([a-z_]+)"`, "", 3},
	} {
		names := found(t, c.file, c.pattern)
		if len(names) < c.least {
			t.Errorf("%s: only %d names of kind %s: has the source changed its form?", c.file, len(names), c.what)
		}
		for _, name := range names {
			if !regexp.MustCompile("`" + c.prefix + name + "[`{]").MatchString(page) {
				t.Errorf("docs/operations.md does not name the %s `%s%s` of %s", c.what, c.prefix, name, c.file)
			}
		}
	}
}

// TestDocumentedCodesExist is the other way round.
func TestDocumentedCodesExist(t *testing.T) {
	known := append(found(t, "proxy/guest.go", `authhandlers\.Code = "([a-z_]+)"`), "admin_listen")
	for _, code := range refusals.Codes() {
		known = append(known, string(code))
	}
	for _, symptom := range symptoms(t) {
		for _, m := range regexp.MustCompile("`([a-z]+_[a-z_]+|busy|stopping)`").FindAllStringSubmatch(symptom, -1) {
			if !strings.HasPrefix(m[1], "catflap_") && !slices.Contains(known, m[1]) {
				t.Errorf("docs/operations.md names the code %s, which there is not", m[1])
			}
		}
	}
}

// symptoms are the first cells of the table from symptom to cause.
func symptoms(t *testing.T) (l []string) {
	t.Helper()
	_, section, _ := strings.Cut(source(t, "docs/operations.md"), "\n## From symptom to cause\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); strings.HasPrefix(line, "| ") {
			if len(cells) != 3 {
				t.Errorf("no symptom, cause and remedy: %s", line)
			}
			l = append(l, strings.TrimPrefix(cells[0], "| "))
		}
	}
	return l
}

// TestFromSymptomToCause: an operator searches one section, and finds there what people
// have run into. It has one table of symptoms, and that of the codes, which is generated.
func TestFromSymptomToCause(t *testing.T) {
	l := symptoms(t)
	if n := strings.Count(strings.Join(l, "\n"), "symptom"); len(l) < 90 || n != 1 {
		t.Fatalf("%d rows in %d tables", len(l), n)
	}
	for _, name := range []string{
		"token_not_yet_valid", "names Redis", "restart of the Cat", "certificate has expired", "unknown authority", "No access",
		"everybody must sign in after a restart", "talked at the same time", "QDrant does not respond", "is the proxy", "1006",
	} {
		if !slices.ContainsFunc(l, func(symptom string) bool { return strings.Contains(symptom, name) }) {
			t.Errorf("docs/operations.md has no row for %s", name)
		}
	}
}

// TestEveryEventIsCounted: the list of events whose counters begin at zero is whole.
func TestEveryEventIsCounted(t *testing.T) {
	observed := slices.Concat(found(t, "authhandlers/jwt/handler.go", `observe\("([a-z_]+)"`), found(t, "authhandlers/jwt/verifier.go", `observe\("([a-z_]+)"`),
		found(t, "authhandlers/oidc/discovery.go", `observe\("([a-z_]+)"`), found(t, "internal/keyset/url.go", `observe\("([a-z_]+)"`))
	slices.Sort(observed)
	events := (&oidc.Config{}).Events()
	slices.Sort(events)
	if !slices.Equal(events, observed) {
		t.Errorf("the handler oidc has the events %v, the source %v", events, observed)
	}
}

// TestDocumentedRoutes holds docs/permissions.md to the Cat's contract in paths.
func TestDocumentedRoutes(t *testing.T) {
	page := source(t, "docs/permissions.md")
	for _, path := range found(t, "proxy/cat/v1.go", `\{"[A-Z,]+", "/([a-z_-]+)`) {
		if !strings.Contains(page, "/"+path) {
			t.Errorf("docs/permissions.md does not name /%s", path)
		}
	}
}

func source(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func found(t *testing.T, file, pattern string) (names []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(source(t, file), -1) {
		for _, group := range m[1:] {
			if group != "" && !slices.Contains(names, group) {
				names = append(names, group)
			}
		}
	}
	return names
}

// TestDocumentedHandler holds the code of docs/writing-an-authhandler.md to the
// example that is built and run: each line of it stands there.
func TestDocumentedHandler(t *testing.T) {
	const name = "docs/writing-an-authhandler.md"
	known := map[string]bool{}
	for _, file := range []string{"examples/custom-handler/main.go", "examples/custom-handler/teamtoken/teamtoken.go", "authhandlers/handler.go"} {
		for line := range strings.Lines(source(t, file)) {
			known[strings.TrimSpace(line)] = true
		}
	}
	blocks := page{name, source(t, name)}.fences("go")
	if len(blocks) < 3 {
		t.Errorf("only %d blocks of code", len(blocks))
	}
	for at, block := range blocks {
		for line := range strings.Lines(block) {
			if !known[strings.TrimSpace(line)] {
				t.Errorf("%s:%d: the example has no line %s", name, at, strings.TrimSpace(line))
			}
		}
	}
}
