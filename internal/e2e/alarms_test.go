package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// alarms are the rules that are recommended, and what tests them.
const (
	alarms     = "../../examples/prometheus/catflap.rules.yaml"
	alarmTests = "testdata/alarms.test.yaml"
)

// TestAlarms: promtool takes the recommended rules, each fires at the first event and
// not before it, and the documentation names the same expressions.
func TestAlarms(t *testing.T) {
	t.Parallel()
	program, env, missing := installed.Promtool()
	parts.Need(t, missing)
	dir := t.TempDir()
	rules := copyTo(t, dir, alarms)
	copyTo(t, dir, alarmTests)
	for _, args := range [][]string{{"check", "rules", filepath.Base(alarms)}, {"test", "rules", filepath.Base(alarmTests)}} {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", args[0], err, said)
		}
	}
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(alarmTests)
	if err != nil {
		t.Fatal(err)
	}
	expressions := regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllStringSubmatch(rules, -1)
	names := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	if len(expressions) < 7 || len(names) != len(expressions) {
		t.Fatalf("%d alarms with %d expressions", len(names), len(expressions))
	}
	for i, e := range expressions {
		if !strings.Contains(string(page), "`"+e[1]+"`") {
			t.Errorf("docs/operations.md does not recommend %s", e[1])
		}
		if strings.Count(string(tests), "alertname: "+names[i][1]+"\n") != 1 || strings.Count(string(tests), "alertname: "+names[i][1]+",") != 1 {
			t.Errorf("%s is not tested before and at its event", names[i][1])
		}
	}
}

// TestAlarmsHaveTheirSeries: what an alarm looks at is there at the first scrape of a
// fresh Catflap, so that the first event is an increase, and nothing has to ask
// /readyz first.
func TestAlarmsHaveTheirSeries(t *testing.T) {
	t.Parallel()
	cats := []*catBehindTap{startCat(t), startCat(t)}
	p := startProvider(t)
	f := start(t, config{cats: []string{cats[0].tap.addr, cats[1].tap.addr}, desks: []desk{p.desk("company")}})
	scrape := func() string {
		status, text := get(t.Context(), "http://"+f.admin+"/metrics")
		if status != http.StatusOK {
			t.Fatalf("metrics: %d", status)
		}
		return text
	}
	text := scrape()
	rules, err := os.ReadFile(alarms)
	if err != nil {
		t.Fatal(err)
	}
	selectors := regexp.MustCompile(`(catflap_\w+)(?:\{(\w+="\w+")\})?`).FindAllStringSubmatch(string(rules), -1)
	for _, s := range selectors {
		series := regexp.MustCompile(`(?m)^` + s[1] + `(\{[^}]*` + s[2] + `[^}]*\})? [0-9.e+]+$`)
		if !series.MatchString(text) {
			t.Errorf("there is no series %s{%s}", s[1], s[2])
		}
	}
	cats[0].tap.shut()
	cats[1].tap.shut()
	f.await("not ready in the metrics", func() bool { return strings.Contains(scrape(), "catflap_ready 0\n") })
}

func copyTo(t *testing.T, dir, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return string(text)
}
