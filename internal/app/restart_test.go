package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// change rewrites the configuration.
func (f *flap) change(t *testing.T, pairs ...string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(f.dir, "catflap.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, "catflap.yaml", strings.NewReplacer(pairs...).Replace(string(b)))
}

// TestAReloadNamesWhatItDidNotApply: the answer fails, each time, until what runs is
// what the file says.
func TestAReloadNamesWhatItDidNotApply(t *testing.T) {
	f := startFlap(t, "log: {level: info}\n")
	reload := func() (int, string, []string) {
		status, body := f.adminAsk(t, "POST", "/-/reload", nil)
		var answer struct {
			Status       string
			NeedsRestart []string `json:"needs_restart"`
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err, body)
		}
		return status, answer.Status, answer.NeedsRestart
	}
	if status, said, fields := reload(); status != 200 || said != "reloaded" || fields != nil {
		t.Errorf("nothing new: %d %q %q", status, said, fields)
	}
	f.change(t, "\nlisten: 127.0.0.1:0", "\nlisten: 127.0.0.2:0", "level: info", "level: warn", "everyone: [base]", "everyone: [\"STATUS:READ\"]")
	for range 2 {
		status, said, fields := reload()
		if status != 409 || said != "reloaded in part" || !slices.Equal(fields, []string{"listen", "log.level"}) {
			t.Errorf("%d %q %q", status, said, fields)
		}
	}
	if _, metrics := f.adminAsk(t, "GET", "/metrics", nil); !strings.Contains(metrics, "catflap_config_last_reload_successful 0") {
		t.Error("the metric calls it a success")
	}
	f.signals <- syscall.SIGHUP
	for end := time.Now().Add(20 * time.Second); strings.Count(f.log.String(), "reloaded in part") < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("SIGHUP says nothing in the log")
		}
	}
	f.change(t, "listen: 127.0.0.2:0", "listen: 127.0.0.1:0", "level: warn", "level: info")
	if status, said, fields := reload(); status != 200 || fields != nil {
		t.Errorf("put back: %d %q %q", status, said, fields)
	}
}
