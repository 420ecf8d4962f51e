package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// command runs the binary to its end.
func command(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), "CCAT_API_KEY="+catKey, "CCAT_API_KEY_WS="+catKeyWS)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	noSecret(t, "output of "+args[0], out)
	return cmd.ProcessState.ExitCode(), string(out)
}

// TestCommands: what a person does before they run it.
func TestCommands(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "catflap.yaml")
	good := config{listen: "127.0.0.1:0", admin: "127.0.0.1:0", cat: "127.0.0.1:9"}
	good.write(t, file)
	if code, said := command(t, "check", file); code != 0 {
		t.Errorf("check of a good file: %d\n%s", code, said)
	}
	if code, said := command(t, "version"); code != 0 || strings.TrimSpace(said) == "" {
		t.Errorf("version: %d %q", code, said)
	}
	bad := strings.Replace(good.text(), "    audiences: [catflap]\n", "    audience: catflap\n", 1)
	if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", file}, {"run", "--config", file}} {
		code, said := command(t, args...)
		if code == 0 || !strings.Contains(said, "catflap.yaml:") || !strings.Contains(said, "audience") {
			t.Errorf("%s of a bad file: %d\n%s", args[0], code, said)
		}
	}
	if code, _ := command(t, "run", "--config", filepath.Join(t.TempDir(), "none.yaml")); code == 0 {
		t.Error("run without a file ends with 0")
	}
	if code, _ := command(t, "nonsense"); code == 0 {
		t.Error("an unknown command ends with 0")
	}
}
