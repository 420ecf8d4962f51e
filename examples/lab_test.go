package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
)

// lab is where an example runs: a folder, free ports, and a stand-in Cat with the
// accounts that the examples name.
type lab struct {
	cat           *standin.Running
	dir           string
	listen, admin string
	program       string
	values        map[string]string // what the variables of the examples hold here
	env           []string          // all that its programs get
}

// keys are the Cat's, by the variable's name.
func keys() map[string]string {
	return map[string]string{
		"CCAT_API_KEY": strings.Repeat("k", 32), "CCAT_API_KEY_WS": strings.Repeat("w", 32), "CCAT_JWT_SECRET": strings.Repeat("s", 32),
	}
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{dir: t.TempDir(), listen: freePort(t), admin: freePort(t), program: binary, values: keys()}
	var err error
	if l.cat, err = standin.Start(standin.Options{
		APIKey: l.values["CCAT_API_KEY"], APIKeyWS: l.values["CCAT_API_KEY_WS"], JWTSecret: l.values["CCAT_JWT_SECRET"],
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.cat.Close() })
	l.values["CATFLAP_SESSION_KEY"] = strings.Repeat("g", 44)
	for name, account := range map[string]struct {
		user string
		may  standin.Permissions
	}{
		"CAT_READER_ACCOUNT_ID": {"catflap-reader", standin.Permissions{
			"STATUS": {"READ"}, "STATIC": {"READ"}, "MEMORY": {"READ"}, "CONVERSATION": {"WRITE", "EDIT", "LIST", "READ", "DELETE"},
		}},
		"CAT_CHAT_ACCOUNT_ID":  {"catflap-chat", standin.Permissions{"STATUS": {"READ"}, "CONVERSATION": {"WRITE"}}},
		"CAT_ADMIN_ACCOUNT_ID": {"catflap-admin", standin.FullPermissions()},
	} {
		l.values[name] = l.cat.AddAccount(account.user, "a long password", account.may)
	}
	return l
}

// sets gives the programs these variables, and no others.
func (l *lab) sets(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		value, ok := l.values[name]
		if !ok {
			t.Errorf("the example sets %s, which nothing here knows", name)
		}
		l.env = append(l.env, name+"="+value)
	}
}

// localize is localize for the addresses of this lab, and what else is replaced.
func (l *lab) localize(t *testing.T, config string, replacements ...[2]string) string {
	t.Helper()
	return localize(t, config, append([][2]string{
		{`^listen: \S+`, "listen: " + l.listen}, {`^admin_listen: \S+`, "admin_listen: " + l.admin}, {`^  url: \S+`, "  url: " + l.cat.URL},
	}, replacements...)...)
}

// write writes a file of the folder, and returns its path.
func (l *lab) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// command is the program with arguments, in the folder.
func (l *lab) command(args ...string) *exec.Cmd {
	cmd := exec.Command(l.program, args...)
	cmd.Dir, cmd.Env = l.dir, l.env
	return cmd
}

// check checks a configuration, which has nothing to warn of.
func (l *lab) check(t *testing.T, file string) {
	t.Helper()
	if out, err := l.command("check", file).CombinedOutput(); err != nil || bytes.Contains(out, []byte("warning:")) {
		t.Fatalf("check: %v\n%s", err, out)
	}
}

// run runs the program until the test ends, and waits until it is ready.
func (l *lab) run(t *testing.T, args ...string) served {
	t.Helper()
	start(t, l.command(args...), func() bool { return l.command("healthcheck", "--addr", l.admin, "--ready").Run() == nil })
	return served{url: "http://" + l.listen, cat: l.cat}
}

// userAt is the user id that the Cat has seen, but for the probe's.
func userAt(cat *standin.Running) (user string) {
	for _, r := range cat.Requests() {
		for _, h := range r.Headers {
			if h.Name == "user_id" && h.Value != "anonymous" {
				user = h.Value
			}
		}
	}
	return user
}
