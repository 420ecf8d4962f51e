package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// provider is the real identity provider, a process of its own.
type provider struct {
	t    testing.TB
	addr string
	log  *output
	stop func()
}

// startProvider runs a fresh provider with the people alice, bob and carol.
// More environment is at the head of its script, as LEAN_ID_TOKEN=1; its access
// tokens live ten minutes unless ACCESS_TTL says otherwise.
func startProvider(t testing.TB, env ...string) *provider {
	t.Helper()
	return startProviderAt(t, freeAddress(t), env...)
}

func startProviderAt(t testing.TB, addr string, env ...string) *provider {
	t.Helper()
	parts.Need(t, installed.HaveNode())
	p := &provider{t: t, addr: addr, log: &output{}}
	_, port, _ := strings.Cut(addr, ":")
	p.stop = runScript(t, p.log, append([]string{"PORT=" + port, "ACCESS_TTL=600"}, env...), "node", filepath.Join("idp", "server.mjs"))
	await(t, "the provider ready", func() bool { return strings.Contains(p.log.String(), "ready ") }, p.log.String)
	return p
}

// runScript starts a JavaScript file with the installed packages beside it: Node
// looks for packages along the file's own path. It returns what ends it.
func runScript(t testing.TB, log *output, env []string, program, file string) func() {
	t.Helper()
	cmd := exec.Command(program, besidePackages(t, file))
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	return run(t, cmd)
}

// besidePackages copies a script into a folder where its packages are.
func besidePackages(t testing.TB, file string) string {
	t.Helper()
	dir := t.TempDir()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(script, source, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(installed.NodeModules(), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return script
}

// run starts a process and ends it with the test, or when the returned function
// is called.
func run(t testing.TB, cmd *exec.Cmd) func() {
	t.Helper()
	exited, err := startProcess(cmd)
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
	}
	t.Cleanup(stop)
	return stop
}

func (p *provider) issuer() string { return "http://" + p.addr }

// config is a configuration that trusts this provider.
func (p *provider) config(cat string) config {
	return config{cat: cat, issuer: p.issuer(), jwksURL: p.issuer() + "/jwks"}
}

// tokens are what a client gets for a person.
type tokens struct {
	Access  string `json:"access_token"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
}

// signIn gets tokens for a person by password, as that client.
func (p *provider) signIn(client, user string) tokens {
	p.t.Helper()
	return p.grant(client, url.Values{"grant_type": {"password"}, "username": {user}, "password": {user + "-pw"}})
}

func (p *provider) grant(client string, form url.Values) tokens {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.issuer()+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(client, client+"-secret")
	var got tokens
	if err := decodeAnswer(req, &got); err != nil || got.Access == "" {
		p.t.Fatalf("token of %s: %v\n%s", client, err, p.log)
	}
	for _, credential := range []string{got.Access, got.ID, got.Refresh} {
		if credential != "" {
			plant(credential)
		}
	}
	return got
}

// control uses one of the provider's test controls.
func (p *provider) control(what string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, p.issuer()+"/_test/"+what, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := decodeAnswer(req, &struct{}{}); err != nil {
		p.t.Fatal(err)
	}
}

// fetches counts the requests for the key set.
func (p *provider) fetches() int {
	p.t.Helper()
	return p.count("/jwks")
}

// count counts the requests for a path, or for tokens by one grant, as in
// "/token refresh_token".
func (p *provider) count(what string) int {
	p.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, p.issuer()+"/_test/stats", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	stats := map[string]int{}
	if err := decodeAnswer(req, &stats); err != nil {
		p.t.Fatal(err)
	}
	return stats[what]
}

func decodeAnswer(req *http.Request, into any) error {
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("status %d: %s", res.StatusCode, body)
	}
	return json.NewDecoder(bytes.NewReader(body)).Decode(into)
}
