package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
)

// TestAPIKeys runs the example with keys that `catflap key` has made: a script is its
// owner, and a bot's people are themselves.
func TestAPIKeys(t *testing.T) {
	dir, k := t.TempDir(), keys()
	cat, err := standin.Start(standin.Options{APIKey: k["CCAT_API_KEY"], APIKeyWS: k["CCAT_API_KEY_WS"], JWTSecret: k["CCAT_JWT_SECRET"]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cat.Close() })
	k["CAT_READER_ACCOUNT_ID"] = cat.AddAccount("catflap-reader", "a long password", standin.Permissions{
		"STATUS": {"READ"}, "STATIC": {"READ"}, "MEMORY": {"READ"}, "CONVERSATION": {"WRITE", "EDIT", "LIST", "READ", "DELETE"},
	})
	listen, admin, file := freePort(t), freePort(t), filepath.Join(dir, "catflap.yaml")
	config := localize(t, read(t, "handlers/apikey.catflap.yaml"),
		[2]string{`^listen: \S+`, "listen: " + listen}, [2]string{`^admin_listen: \S+`, "admin_listen: " + admin}, [2]string{`^  url: \S+`, "  url: " + cat.URL})
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(binary, args...)
		cmd.Dir = dir
		for name, value := range k {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		return cmd
	}
	newKey := func(args ...string) string {
		out, err := command(append([]string{"key", "new", "--file", "keys.yaml"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	script, bot := newKey("--owner", "nightly-report"), newKey("--owner", "telegram", "--acts-for")
	if out, err := command("check", "catflap.yaml").CombinedOutput(); err != nil || bytes.Contains(out, []byte("warning:")) {
		t.Fatalf("check: %v\n%s", err, out)
	}
	start(t, command("run", "--config", file), func() bool { return command("healthcheck", "--addr", admin, "--ready").Run() == nil })
	s := served{url: "http://" + listen, cat: cat}
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
