package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// anywhere is free ports for everything.
func anywhere() Options {
	const free = "127.0.0.1:0"
	return Options{Stdout: io.Discard, Listen: free, Provider: free, Cat: free, Admin: free}
}

func TestTheDemoListensOnThisMachineOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "localhost:0"} {
		for _, set := range []func(*Options){
			func(o *Options) { o.Listen = address }, func(o *Options) { o.Provider = address },
			func(o *Options) { o.Cat = address }, func(o *Options) { o.Admin = address },
		} {
			o := anywhere()
			set(&o)
			if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "loopback") {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
	o := anywhere()
	o.Listen = "127.0.0.2:0"
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "localhost") {
		t.Errorf("an address that localhost does not mean: %v", err)
	}
}

func TestATakenPortIsReplaced(t *testing.T) {
	hosts := []string{"127.0.0.1"}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		_ = l.Close()
		hosts = append(hosts, "::1") // this machine has IPv6
	}
	for _, host := range hosts {
		taken, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		_, port, _ := net.SplitHostPort(taken.Addr().String())
		l, err := listenNear("127.0.0.1:"+port, true)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, got, _ := net.SplitHostPort(l.Addr().String()); got == port {
			t.Errorf("browsers find two servers at port %s", port)
		}
	}
}

// TestTheDemosParts runs everything but Catflap: the provider, the Cat, the page
// and the configuration that Catflap would be given.
func TestTheDemosParts(t *testing.T) {
	o := anywhere()
	var out bytes.Buffer
	o.Stdout = &out
	o.Run = func(_ context.Context, configFile string, ready func()) error {
		text, err := os.ReadFile(configFile)
		if err != nil {
			return err
		}
		ready()
		checkProvider(t, after(string(text), "issuer: "))
		checkCat(t, after(string(text), "cat:\n  url: "))
		public := after(string(text), "public_url: ")
		if !regexp.MustCompile(`^http://localhost:[0-9]+$`).MatchString(public) {
			t.Errorf("public_url: %s", public)
		}
		if !strings.Contains(out.String(), public+"/static/chat.html") {
			t.Error("the message does not say where to begin")
		}
		return nil
	}
	if err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ALICE=$(curl", "BOB=$(curl", "/readyz", "/admin/"} {
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

func checkProvider(t *testing.T, issuer string) {
	t.Helper()
	_, _, text := get(t, issuer+"/.well-known/openid-configuration")
	var metadata struct{ Issuer string }
	if err := json.Unmarshal([]byte(text), &metadata); err != nil || metadata.Issuer != issuer {
		t.Errorf("metadata %s: %v", text, err)
	}
	_, _, token := get(t, issuer+"/token/bob")
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil || claims["sub"] != "bob" || claims["iss"] != issuer || claims["aud"] != audience {
		t.Errorf("bob's token: %v %v", claims, err)
	}
	_, _, keys := get(t, issuer+"/jwks")
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal([]byte(keys), &set); err != nil || len(set.Keys) != 1 || set.Keys[0]["d"] != "" || len(set.Keys[0]["x"]) != 43 {
		t.Errorf("keys %s: %v", keys, err)
	}
}

func checkCat(t *testing.T, cat string) {
	t.Helper()
	if status, _, _ := get(t, cat+"/"); status != http.StatusForbidden {
		t.Errorf("the Cat answers %d without a key", status)
	}
	status, h, text := get(t, cat+"/static/chat.html")
	if status != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), "text/html") || !strings.Contains(text, "default-src 'none'") {
		t.Errorf("the page: %d %s", status, h)
	}
	if regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\son\w+=|\sstyle=`).MatchString(text) {
		t.Error("the page has a script or a style of its own, which its policy refuses")
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="([a-z.]+)"`).FindAllStringSubmatch(text, -1) {
		if status, _, _ := get(t, cat+"/static/"+m[1]); status != http.StatusOK {
			t.Errorf("%s: %d", m[1], status)
		}
	}
	if status, h, _ := get(t, cat+"/static/socket.js"); status != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), "text/javascript") {
		t.Errorf("socket.js: %d %s", status, h)
	}
}
