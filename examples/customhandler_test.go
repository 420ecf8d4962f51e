package examples

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCustomHandler builds the example as its README says, and gets in with a
// token of the handler that no other Catflap knows.
func TestCustomHandler(t *testing.T) {
	program := filepath.Join(t.TempDir(), "catflap-teamtoken")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "custom-handler"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v (after a change of dependencies: make generate)\n%s", err, out)
	}

	// As it is, it is a configuration; but nobody has the tokens of its digests.
	l := newLab(t)
	l.program = program
	l.sets(t, "CCAT_API_KEY", "CCAT_API_KEY_WS")
	example := filepath.Join(repository, "examples", "custom-handler", "catflap.yaml")
	if out, err := l.command("check", example).CombinedOutput(); err != nil || !strings.Contains(string(out), "team (teamtoken), user ids team:...") {
		t.Errorf("check: %v\n%s", err, out)
	}
	if out, err := exec.Command(binary, "check", example).CombinedOutput(); err == nil {
		t.Errorf("a Catflap without the handler takes the type:\n%s", out)
	}

	// With a token of one's own, made as the README says.
	token := "team_" + strings.ToLower(rand.Text()+rand.Text()+rand.Text())
	sum := sha256.Sum256([]byte(token))
	config := l.localize(t, read(t, "custom-handler/catflap.yaml"))
	first := regexp.MustCompile(`sha256: [0-9a-f]{64}`).FindString(config)
	config = strings.Replace(config, first, "sha256: "+hex.EncodeToString(sum[:]), 1)
	s := l.run(t, "run", "--config", l.write(t, "catflap.yaml", config))
	if status, user := s.get(t, token); status != http.StatusOK || user != "team:ada" {
		t.Errorf("ada: %d, at the Cat %q", status, user)
	}
	for _, bad := range []string{"", token + "0", "team_" + hex.EncodeToString(sum[:])} {
		if status, user := s.get(t, bad); status != http.StatusUnauthorized || user != "" {
			t.Errorf("%q: %d, at the Cat %q", bad, status, user)
		}
	}
}
