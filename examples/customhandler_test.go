package examples

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
)

// TestCustomHandler builds the example as its README says, and gets in with a
// token of the handler that no other Catflap knows.
func TestCustomHandler(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "catflap-teamtoken")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "custom-handler"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v (after a change of dependencies: make generate)\n%s", err, out)
	}

	// As it is, it is a configuration; but nobody has the tokens of its digests.
	k := keys()
	env := []string{"CCAT_API_KEY=" + k["CCAT_API_KEY"], "CCAT_API_KEY_WS=" + k["CCAT_API_KEY_WS"]}
	run := func(args ...string) (string, error) {
		cmd := exec.Command(program, args...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("check", filepath.Join("custom-handler", "catflap.yaml")); err != nil || !strings.Contains(out, "team (teamtoken), user ids team:...") {
		t.Errorf("check: %v\n%s", err, out)
	}
	if out, err := exec.Command(binary, "check", filepath.Join("custom-handler", "catflap.yaml")).CombinedOutput(); err == nil {
		t.Errorf("a Catflap without the handler takes the type:\n%s", out)
	}

	// With a token of one's own, made as the README says.
	token := "team_" + strings.ToLower(rand.Text()+rand.Text()+rand.Text())
	sum := sha256.Sum256([]byte(token))
	cat, err := standin.Start(standin.Options{APIKey: k["CCAT_API_KEY"], APIKeyWS: k["CCAT_API_KEY_WS"], JWTSecret: k["CCAT_JWT_SECRET"]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cat.Close() })
	listen, admin := freePort(t), freePort(t)
	config := localize(t, read(t, "custom-handler/catflap.yaml"),
		[2]string{`^listen: \S+`, "listen: " + listen}, [2]string{`^admin_listen: \S+`, "admin_listen: " + admin}, [2]string{`^  url: \S+`, "  url: " + cat.URL})
	first := regexp.MustCompile(`sha256: [0-9a-f]{64}`).FindString(config)
	config = strings.Replace(config, first, "sha256: "+hex.EncodeToString(sum[:]), 1)
	file := filepath.Join(dir, "catflap.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "run", "--config", file)
	cmd.Env = env
	start(t, cmd, func() bool {
		_, err := run("healthcheck", "--addr", admin, "--ready")
		return err == nil
	})
	s := served{url: "http://" + listen, cat: cat}
	if status, user := s.get(t, token); status != http.StatusOK || user != "team:ada" {
		t.Errorf("ada: %d, at the Cat %q", status, user)
	}
	for _, bad := range []string{"", token + "0", "team_" + hex.EncodeToString(sum[:])} {
		if status, user := s.get(t, bad); status != http.StatusUnauthorized || user != "" {
			t.Errorf("%q: %d, at the Cat %q", bad, status, user)
		}
	}
}
