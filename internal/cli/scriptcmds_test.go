package cli_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/catflap/catflap/internal/demo/standin"
)

// startStandin serves a stand-in Cat until the script ends: CAT_URL is its address,
// and CCAT_API_KEY and CCAT_API_KEY_WS are its keys. "standin open" has no keys.
func startStandin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 || len(args) == 1 && args[0] != "open" {
		ts.Fatalf("usage: standin [open]")
	}
	o := standin.Options{JWTSecret: "a-long-random-text"}
	if len(args) == 0 {
		o.APIKey, o.APIKeyWS = "the-http-key", "the-ws-key"
	}
	c, err := standin.Start(o)
	ts.Check(err)
	ts.Defer(func() { _ = c.Close() })
	ts.Setenv("CAT_URL", c.URL)
	ts.Setenv("CCAT_API_KEY", o.APIKey)
	ts.Setenv("CCAT_API_KEY_WS", o.APIKeyWS)
}

// freePort sets each variable to a loopback address with a free port.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: freeport VARIABLE...")
	}
	for _, name := range args { // all held until each has its own
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close()
		ts.Setenv(name, l.Addr().String())
	}
}

// expandFile replaces $NAME in files of the script by the script's variables.
func expandFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE...")
	}
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// awaitListener waits until something listens at the address.
func awaitListener(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await HOST:PORT")
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", args[0]); err == nil {
			_ = c.Close() // it was only asked whether it answers
			return
		}
	}
	ts.Fatalf("nothing listens at %s", args[0])
}

// fileMode demands that a file has just these rights.
func fileMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode FILE 0600")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] && runtime.GOOS != "windows" {
		ts.Fatalf("%s has the mode %s, not %s", args[0], got, args[1])
	}
}

// revokeKey runs catflap key revoke with the key that a file holds.
func revokeKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: revoke KEYS_FILE FILE")
	}
	ts.Check(ts.Exec("catflap", "key", "revoke", "--file", args[0], strings.TrimSpace(ts.ReadFile(args[1]))))
}
