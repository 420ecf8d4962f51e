package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// autobahnCases are the cases of the Autobahn suite that take part. All of 12, the
// compression of messages, takes minutes, and Catflap has none.
var autobahnCases = []string{"1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*", "12.1.*"}

// verdict is what the suite says of a case.
type verdict struct {
	Behaviour string `json:"behavior"`
	Closing   string `json:"behaviorClose"`
}

// failed takes what is right and what is not strictly right as one, as they change
// from run to run where the order of two writes decides.
func (v verdict) failed() bool {
	return !slices.Contains([]string{"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"}, v.Behaviour) ||
		!slices.Contains([]string{"OK", "INFORMATIONAL"}, v.Closing)
}

// TestAutobahn: no case of the suite fails through Catflap that does not fail without
// it, and none but compression is less than without it.
func TestAutobahn(t *testing.T) {
	t.Parallel()
	parts.Need(t, installed.HavePython())
	echo := startEcho(t)
	alone := fuzz(t, echo)
	for _, session := range []string{"shared", "separate"} {
		t.Run(session, func(t *testing.T) {
			f := start(t, config{
				cat: echo, catMore: "insecure_open_cat: true",
				websocket: "session: " + session + "\nmessage_rate: 0\nmax_message: 32MiB\nmax_held: 512MiB\nmax_held_per_user: 256MiB\nlinger: 1s",
			})
			through := fuzz(t, startFront(t, f.addr))
			t.Logf("through Catflap: %v; without: %v", tally(through), tally(alone))
			for _, name := range slices.Sorted(maps.Keys(alone)) {
				is, was := through[name], alone[name]
				compression := strings.HasPrefix(name, "12.")
				if is.failed() && !was.failed() || is.Behaviour == "UNIMPLEMENTED" && !compression {
					t.Errorf("case %s is %v through Catflap, %v without", name, is, was)
				}
			}
		})
	}
}

// tally counts what is said of the cases.
func tally(all map[string]verdict) map[string]int {
	counts := map[string]int{}
	for _, v := range all {
		counts[v.Behaviour]++
	}
	return counts
}

// startEcho is the address of a server that stands as the Cat.
func startEcho(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(installed.Python(), filepath.Join("autobahn", "echo.py"))
	faults := &output{}
	cmd.Stderr = faults
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run(t, cmd)
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the echo said %q: %v\n%s", port, err, faults)
	}
	return "127.0.0.1:" + strings.TrimSpace(port)
}

// fuzz has the suite's client try a server, and returns its verdicts by the names
// of the cases.
func fuzz(t *testing.T, addr string) map[string]verdict {
	t.Helper()
	reports := t.TempDir()
	args := []string{"-m", "fuzzingclient", "-p", "4", "-o", reports}
	for _, cases := range autobahnCases {
		args = append(args, "-i", cases)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	args = append([]string{filepath.Join(filepath.Dir(installed.Python()), "kosoku")}, append(args, "ws://"+addr+"/ws/autobahn")...)
	cmd := exec.CommandContext(ctx, installed.Python(), args...)
	said, err := cmd.CombinedOutput() // that a case has failed is an error, too
	index, missing := os.ReadFile(filepath.Join(reports, "index.json"))
	var byServer map[string]map[string]verdict
	if missing != nil || ctx.Err() != nil || json.Unmarshal(index, &byServer) != nil {
		t.Fatalf("no verdicts: %v, %v\n%s", err, missing, said)
	}
	all := map[string]verdict{}
	for _, verdicts := range byServer {
		maps.Copy(all, verdicts)
	}
	if len(all) < 300 {
		t.Fatalf("only %d cases were tried\n%s", len(all), said)
	}
	return all
}

// startFront stands before Catflap and gives each connection a person of its own.
func startFront(t *testing.T, addr string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var people atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go introduce(c, addr, staff.token(fmt.Sprintf("autobahn-%d", people.Add(1))))
		}
	}()
	return l.Addr().String()
}

// introduce adds a token to the handshake of a connection, and then passes bytes.
func introduce(c net.Conn, addr, token string) {
	defer c.Close()
	up, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return // which the suite sees
	}
	defer up.Close()
	in := bufio.NewReader(c)
	if _, err := in.ReadString('\n'); err != nil {
		return
	}
	head := bytes.NewBufferString("GET /ws HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n")
	if _, err := io.Copy(up, head); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(up, in) // an end of either side is the end of the other
		_ = up.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, up)
}
