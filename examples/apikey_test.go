package examples

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
)

// TestAPIKeys runs the example with keys that `catflap key` has made: a script is its
// owner, and a bot's people are themselves.
func TestAPIKeys(t *testing.T) {
	l := newLab(t)
	l.sets(t, "CCAT_API_KEY", "CCAT_API_KEY_WS", "CCAT_JWT_SECRET", "CAT_READER_ACCOUNT_ID")
	file := l.write(t, "catflap.yaml", l.localize(t, read(t, "handlers/apikey.catflap.yaml")))
	newKey := func(args ...string) string {
		out, err := l.command(append([]string{"key", "new", "--file", "keys.yaml"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	script, bot := newKey("--owner", "nightly-report"), newKey("--owner", "telegram", "--acts-for")
	l.check(t, file)
	s := l.run(t, "run", "--config", file)
	if status, user := s.get(t, ""); status != 401 || user != "" {
		t.Errorf("a stranger: %d, at the Cat %q", status, user)
	}
	if status, user := s.get(t, script); status != 200 || user != "bots:nightly-report" {
		t.Errorf("the script: %d, at the Cat %q", status, user)
	}
	if status, user := s.get(t, bot); status != 200 || user != "telegram:forged" { // as the request says
		t.Errorf("the bot: %d, at the Cat %q", status, user)
	}
	t.Run("the bot in Python", func(t *testing.T) { askInPython(t, s, bot) })
}

// askInPython has the example's own bot ask on behalf of somebody.
func askInPython(t *testing.T, s served, key string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 here")
	}
	ask := func(key string) string {
		cmd := exec.Command(python, "-c", "import bot, sys; print(bot.ask(*sys.argv[1:]))", s.url, key, "4711", "hello")
		cmd.Dir = "on-behalf-of"
		cmd.Env = []string{"PYTHONDONTWRITEBYTECODE=1"}
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if out := ask(key); !strings.Contains(out, "hello") {
		t.Errorf("no answer: %s", out)
	}
	named := slices.ContainsFunc(s.cat.Requests(), func(r standin.Request) bool {
		return slices.ContainsFunc(r.Headers, func(h standin.Header) bool { return h.Name == "user_id" && h.Value == "telegram:4711" })
	})
	if !named {
		t.Error("the person did not reach the Cat")
	}
	if out := ask("catflap_x"); !strings.Contains(out, "401 malformed_token") || strings.Contains(out, "JSONDecodeError") {
		t.Errorf("a refusal is not told: %s", out)
	}
}
