package cli_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/internal/cli"
)

// TestMain lets the scripts run catflap: this test binary is the command.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"catflap": func() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr, builtin.Registry())) },
	})
}

// TestScripts types what people type (testdata/script), and compares what they read.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "", // then read what has changed
		Setup: func(e *testscript.Env) error {
			// The race detector waits a second at each end of a process.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			// Nothing of the machine that runs the test decides.
			for _, name := range []string{"CCAT_API_KEY", "CCAT_API_KEY_WS", "CCAT_JWT_SECRET"} {
				e.Setenv(name, "")
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"standin":  startStandin,
			"freeport": freePort,
			"expand":   expandFile,
			"await":    awaitListener,
			"signin":   signIn,
			"mode":     fileMode,
			"revoke":   revokeKey,
		},
	})
}
