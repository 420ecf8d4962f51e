package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// The contenders.
const (
	plainProxy = "go-rp"
	nginx      = "nginx"
	haproxy    = "haproxy-jwt"
	catflap    = "catflap"
	separate   = "catflap-separate" // with session: separate
	tunnel     = "go-tunnel"
)

// contenders are measured in this order; each round begins with another of them.
func contenders() []string {
	return []string{tunnel, plainProxy, nginx, haproxy, catflap, separate}
}

// findPeers sees to it that the foreign peers are there. It installs Debian's
// packages, saying so, where that is possible without asking for anybody's
// password; RUNLEVEL keeps the packages from starting services.
func findPeers(ctx context.Context, out io.Writer) error {
	var missing []string
	for _, name := range []string{"nginx", "haproxy"} {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	list := strings.Join(missing, " ")
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return errors.New("not installed: " + list + "; on Debian: apt-get install --no-install-recommends " + list)
	}
	fmt.Fprintln(out, "not installed:", list+"; running: apt-get install --no-install-recommends", list)
	install := exec.CommandContext(ctx, "apt-get", append([]string{"install", "-y", "-q", "--no-install-recommends"}, missing...)...)
	install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
	if text, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get install %s: %w (is apt-get update due?)\n%s", list, err, text)
	}
	return nil
}

// version is what a peer says of itself, for the head of the report.
func version(ctx context.Context, name string, flag string) string {
	text, err := exec.CommandContext(ctx, name, flag).CombinedOutput()
	line, _, _ := strings.Cut(string(text), "\n")
	if err != nil {
		return name
	}
	for word := range strings.FieldsSeq(strings.ReplaceAll(line, "/", " ")) {
		if word[0] >= '0' && word[0] <= '9' {
			return name + " " + word
		}
	}
	return name
}
