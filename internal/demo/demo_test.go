package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestTheDemoListensOnThisMachineOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "localhost:0"} {
		o := Options{Stdout: io.Discard, Listen: address, Site: "127.0.0.1:0", Cat: "127.0.0.1:0", Admin: "127.0.0.1:0"}
		if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestATakenPortIsReplaced(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	l, err := listenNear(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Addr().String() == taken.Addr().String() {
		t.Error("two listeners on one port")
	}
}

// TestTheDemosParts runs everything but Catflap: the page, the tokens, the Cat and
// the configuration that Catflap would be given.
func TestTheDemosParts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	err := Run(ctx, Options{
		Stdout: &out, Listen: "127.0.0.1:0", Site: "127.0.0.1:0", Cat: "127.0.0.1:0", Admin: "127.0.0.1:0",
		Run: func(_ context.Context, configFile string, ready func()) error {
			text, err := os.ReadFile(configFile)
			if err != nil {
				return err
			}
			ready()
			site := after(string(text), "issuer: ")
			checkSite(t, site)
			checkCat(t, after(string(text), "url: "))
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ALICE=$(curl", "BOB=$(curl", "/readyz"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the message has no %s", want)
		}
	}
}

func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

func get(t *testing.T, url string) (int, http.Header, string) {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func checkSite(t *testing.T, site string) {
	t.Helper()
	status, h, page := get(t, site+"/")
	if status != http.StatusOK || !strings.Contains(page, `data-name="bob"`) || !strings.Contains(h.Get("Content-Security-Policy"), "connect-src 'self' http://127.0.0.1:") {
		t.Errorf("the page: %d %s", status, h)
	}
	for _, name := range []string{"/chat.js", "/chat.css"} {
		if status, _, _ := get(t, site+name); status != http.StatusOK {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _, _ := get(t, site+"/token/mallory"); status != http.StatusNotFound {
		t.Errorf("a token for a stranger: %d", status)
	}
	_, _, token := get(t, site+"/token/bob")
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil || claims["sub"] != "bob" || claims["iss"] != site {
		t.Errorf("bob's token: %v %v", claims, err)
	}
	_, _, keys := get(t, site+"/jwks")
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal([]byte(keys), &set); err != nil || len(set.Keys) != 1 || set.Keys[0]["d"] != "" || len(set.Keys[0]["x"]) != 43 {
		t.Errorf("keys %s: %v", keys, err)
	}
	req, _ := http.NewRequest(http.MethodGet, site+"/token/alice", nil)
	req.Host = "evil.example"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host's name gets %d", resp.StatusCode)
	}
}

func checkCat(t *testing.T, cat string) {
	t.Helper()
	if status, _, _ := get(t, cat+"/"); status != http.StatusForbidden {
		t.Errorf("the Cat answers %d without a key", status)
	}
}
