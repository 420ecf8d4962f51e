package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/internal/e2e/parts"
)

// plan is what a stock client shall do; see clients/stock.mjs.
type plan struct {
	Module   string         `json:"module,omitempty"`
	Settings map[string]any `json:"settings"`
	Calls    []string       `json:"calls"`
	Text     string         `json:"text,omitempty"`
	Claim    string         `json:"claim,omitempty"`
}

// met is what the client met.
type met struct {
	Calls map[string]struct {
		OK     bool            `json:"ok"`
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
		Error  string          `json:"error"`
	} `json:"calls"`
	WS *struct {
		Reply map[string]any `json:"reply"`
		Error string         `json:"error"`
	} `json:"ws"`
}

func (p plan) run(t *testing.T, args ...string) met {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	in, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", args[0], err, stderr.Bytes())
	}
	var m met
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatalf("%s printed %q: %v", args[0], out, err)
	}
	return m
}

func port(t testing.TB, addr string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// stockClient is one version of a client, and where it keeps its settings.
type stockClient struct {
	name     string
	calls    []string
	settings func(addr, token string) map[string]any
	run      func(t *testing.T, p plan) met
}

func stockClients(t *testing.T) []stockClient {
	js := func(module string) func(*testing.T, plan) met {
		return func(t *testing.T, p plan) met {
			parts.Need(t, installed.HaveNode())
			p.Module = module
			return p.run(t, "node", besidePackages(t, filepath.Join("clients", "stock.mjs")))
		}
	}
	now := func(addr, token string) map[string]any {
		return map[string]any{"host": "127.0.0.1", "port": port(t, addr), "credential": token, "userId": "admin"}
	}
	// Before 0.11 a token reaches the WebSocket only if a person writes it into the
	// settings of the path or the query.
	before := func(path string) func(addr, token string) map[string]any {
		return func(addr, token string) map[string]any {
			s := map[string]any{"baseUrl": "127.0.0.1", "port": port(t, addr), "authKey": token, "user": "admin", "userId": "admin"}
			switch path {
			case "query":
				s["ws"] = map[string]any{"query": "?token=" + token}
			default:
				s["ws"] = map[string]any{"path": strings.Replace(path, "TOKEN", token, 1)}
			}
			return s
		}
	}
	all := []string{"home", "history", "plugins", "collections"}
	return []stockClient{
		{"npm 0.12.1", append(all, "message"), now, js("ccat-api")},
		{"npm 0.11.3", append(all, "message"), now, js("ccat-api-0.11")},
		{"npm 0.10.6", all, before("query"), js("ccat-api-0.10")},
		{"npm 0.9.3", all, before("ws?token=TOKEN&x="), js("ccat-api-0.9")},
		{"npm 0.7.3", []string{"home", "plugins", "collections"}, before("ws?token=TOKEN"), js("ccat-api-0.7")},
		{"PyPI 1.4.9", all, func(addr, token string) map[string]any {
			return map[string]any{"base_url": "127.0.0.1", "port": port(t, addr), "auth_key": token, "user_id": "admin"}
		}, func(t *testing.T, p plan) met {
			parts.Need(t, installed.HavePython())
			return p.run(t, installed.Python(), filepath.Join("clients", "stock.py"))
		}},
	}
}

// TestStockClients: the clients that people have, unmodified, with a token of the
// identity provider where they keep the Cat's key. They claim to be admin; what
// counts is the token.
func TestStockClients(t *testing.T) {
	t.Parallel()
	idp, cat := startProvider(t), startCat(t)
	f := start(t, idp.config(cat.tap.addr))
	for _, c := range stockClients(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Run("admin", func(t *testing.T) {
				c.allowed(t, f, cat, idp.signIn("catflap", "alice").Access, idOf(aliceSub), true)
			})
			t.Run("base user", func(t *testing.T) {
				c.allowed(t, f, cat, idp.signIn("catflap", "bob").Access, idOf(bobSub), false)
			})
			t.Run("refused", func(t *testing.T) {
				c.refused(t, f, cat, idp.signIn("other-app", "alice").Access)
			})
		})
	}
	noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
}

// TestStockClientsWithoutCatflap is the control of the test above: the same
// clients at a bare Cat with its own key are whoever they say they are.
func TestStockClientsWithoutCatflap(t *testing.T) {
	t.Parallel()
	key := "one-key-for-both"
	for _, c := range stockClients(t) {
		t.Run(c.name, func(t *testing.T) {
			cat := serveCat(t, "127.0.0.1:0", standin.Options{APIKey: key, APIKeyWS: key})
			got := c.run(t, plan{Settings: c.settings(cat.tap.addr, key), Calls: c.calls, Text: "hello", Claim: "admin"})
			for _, name := range c.calls {
				if call := got.Calls[name]; !call.OK {
					t.Errorf("%s: status %d: %s %s", name, call.Status, call.Body, call.Error)
				}
			}
			if got.WS == nil || got.WS.Error != "" || got.WS.Reply["text"] != "You said: hello" {
				t.Errorf("chat: %+v", got.WS)
			}
		})
	}
}

// adminCalls are the calls for which base permissions do not suffice.
var adminCalls = map[string]bool{"plugins": true, "collections": true}

func (c stockClient) allowed(t *testing.T, f *flap, cat *catBehindTap, token, id string, admin bool) {
	cat.tap.take()
	got := c.run(t, plan{Settings: c.settings(f.addr, token), Calls: c.calls, Text: "hello from " + c.name, Claim: "admin"})
	for _, name := range c.calls {
		call := got.Calls[name]
		switch {
		case admin || !adminCalls[name]:
			if !call.OK {
				t.Errorf("%s: status %d: %s %s", name, call.Status, call.Body, call.Error)
			}
		default:
			if call.Status != 403 {
				t.Errorf("%s: status %d, want 403", name, call.Status)
			}
			object(t, name, call.Body)
		}
	}
	if got.WS == nil || got.WS.Error != "" || got.WS.Reply["user_id"] != id {
		t.Errorf("chat: %+v", got.WS)
	}
	for _, a := range cat.tap.take() {
		a.check(t, id)
	}
}

func (c stockClient) refused(t *testing.T, f *flap, cat *catBehindTap, token string) {
	cat.tap.take()
	got := c.run(t, plan{Settings: c.settings(f.addr, token), Calls: c.calls, Text: "hello", Claim: "admin"})
	for _, name := range c.calls {
		if call := got.Calls[name]; call.Status != 401 {
			t.Errorf("%s: status %d, want 401 (%s)", name, call.Status, call.Error)
		}
		object(t, name, got.Calls[name].Body)
	}
	if got.WS == nil || got.WS.Error == "" {
		t.Errorf("chat with a refused token: %+v", got.WS)
	}
	none(t, cat.tap.take())
}

// object asserts that a refusal is a JSON object: old clients take it apart
// without looking.
func object(t *testing.T, name string, body json.RawMessage) {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(body, &o); err != nil || len(o) == 0 {
		t.Errorf("%s: the refusal is %s, want a JSON object", name, body)
	}
}
