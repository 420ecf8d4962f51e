package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/internal/e2e/parts"
)

// TestDocumentsPlugin runs the tests of the plugin that keeps documents apart.
func TestDocumentsPlugin(t *testing.T) {
	t.Parallel()
	parts.Need(t, installed.HavePlugin())
	cmd := exec.Command(installed.PluginPython(), "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
	cmd.Dir = filepath.Join(repository, "examples", "cat-plugin-documents")
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), " passed") {
		t.Errorf("%v\n%s", err, said)
	}
}

// documents is an answer of /_catflap/documents.
type documents struct {
	Documents []struct{ ID, Source string }
	Deleted   struct{ Documents, Chunks int }
	Complete  bool
	Plugin    string
}

func askDocuments(t testing.TB, f *flap, what, token string) documents {
	t.Helper()
	method, _, _ := strings.Cut(what, " ")
	a := exchange(t, f.addr, method, request(what, f.addr, token, ""))
	var d documents
	if err := json.Unmarshal(a.body, &d); err != nil || a.status != 200 || !d.Complete || d.Plugin != "active" {
		t.Fatalf("%s: %d %s", what, a.status, a.body)
	}
	return d
}

func upload(t testing.TB, f *flap, token, name, text, metadata string) {
	t.Helper()
	body := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name + "\"\r\nContent-Type: text/plain\r\n\r\n" + text +
		"\r\n--x\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n" + metadata + "\r\n--x--\r\n"
	head := []string{
		"POST /rabbithole/ HTTP/1.1", "Host: " + f.addr, "Authorization: Bearer " + token, "Content-Type: multipart/form-data; boundary=x",
		fmt.Sprintf("Content-Length: %d", len(body)), "", body,
	}
	if a := exchange(t, f.addr, "POST", strings.Join(head, "\r\n")); a.status != 200 {
		t.Fatalf("upload: %d %s", a.status, a.body)
	}
}

// recalls are the sources of the documents that a turn was given.
func recalls(t testing.TB, f *flap, token, text string) string {
	t.Helper()
	a := exchange(t, f.addr, "POST", request("POST /message", f.addr, token, fmt.Sprintf(`{"text":%q}`, text)))
	var v struct {
		Why struct {
			Memory struct {
				Declarative []struct{ Metadata struct{ Source string } }
			}
		}
	}
	if err := json.Unmarshal(a.body, &v); err != nil || a.status != 200 {
		t.Fatalf("message: %d %s", a.status, a.body)
	}
	var sources []string
	for _, m := range v.Why.Memory.Declarative {
		sources = append(sources, m.Metadata.Source)
	}
	return strings.Join(sources, " ")
}

// TestDocumentsApart: two people upload, recall, list and delete, with either credential
// for the Cat. No row of the table of headers makes one of them the other.
func TestDocumentsApart(t *testing.T) {
	t.Parallel()
	const fact = "The tea party of the queen is in the rose garden"
	for _, mode := range []string{"api_key", "minted"} {
		t.Run(mode, func(t *testing.T) {
			plant(catSecret)
			cat := serveCat(t, "127.0.0.1:0", standin.Options{APIKey: catKey, APIKeyWS: catKeyWS, JWTSecret: catSecret, DocumentsPlugin: true})
			c := config{cat: cat.tap.addr, catMore: "documents: private", permissions: "everyone: [base, \"UPLOAD:WRITE\"]\ngrants:\n  - {from: [staff], groups: [cat-admins], allow: [admin]}"}
			if mode == "minted" {
				c.catKeys, c.env = documentAccounts(cat), []string{"CAT_SECRET=" + catSecret}
			}
			f := start(t, c)
			upload(t, f, alice(), "alice.txt", fact+"\n\n"+fact+" at four", `{"catflap":{"owner":"staff:bob","folder":"own"}}`)
			upload(t, f, bob(), "bob.txt", fact+", says bob", `{}`)
			for token, want := range map[string]string{alice(): "alice.txt alice.txt", bob(): "bob.txt", staff.token("carol"): ""} {
				if got := recalls(t, f, token, fact); got != want {
					t.Errorf("recalled %q, want %q", got, want)
				}
			}
			for _, what := range []string{"GET /memory/recall?text=tea", "POST /memory/recall"} {
				exchange(t, f.addr, what[:4], request(what, f.addr, alice(), `{"text":"tea"}`)).refusal(t, 403)
			}
			if a := exchange(t, f.addr, "GET", request("GET /memory/recall?text=tea", f.addr, root(), "")); a.status != 200 || !strings.Contains(string(a.body), "bob.txt") {
				t.Errorf("an administrator's recall: %d", a.status)
			}
			documentsUnderAttack(t, f, cat)
			d := askDocuments(t, f, "GET /_catflap/documents", alice())
			if len(d.Documents) != 1 || d.Documents[0].Source != "alice.txt" {
				t.Fatalf("alice's are %+v", d)
			}
			for _, what := range []struct {
				which  string
				chunks int
			}{{"?source=bob.txt", 0}, {"?id=" + d.Documents[0].ID, 2}, {"?all=true", 0}} {
				if got := askDocuments(t, f, "DELETE /_catflap/documents"+what.which, alice()); got.Deleted.Chunks != what.chunks {
					t.Errorf("%s: %+v", what.which, got)
				}
			}
			if got := recalls(t, f, alice(), fact) + recalls(t, f, bob(), fact); got != "bob.txt" {
				t.Errorf("recalled afterwards: %q", got)
			}
			noClientSecret(t, "all bytes to the Cat", cat.tap.bytes())
		})
	}
}

// documentAccounts are accounts for what these people may do, and for the list.
func documentAccounts(cat *catBehindTap) string {
	base := standin.BasePermissions()
	base["UPLOAD"] = []string{"WRITE"}
	uploader := cat.AddAccount("uploader", "a long password", base)
	admin := cat.AddAccount("all", "a long password", standin.FullPermissions())
	return "credential: minted\njwt_secret: {env: CAT_SECRET}\nservice_accounts:\n" +
		fmt.Sprintf("  - {id: %s, permissions: [\"STATUS:READ\", \"CONVERSATION:*\", \"MEMORY:READ\", \"MEMORY:LIST\", \"STATIC:READ\", \"UPLOAD:WRITE\"]}\n  - {id: %s, permissions: [\"*\"]}", uploader, admin)
}

// documentsUnderAttack asks for alice's list with each row of the table.
func documentsUnderAttack(t *testing.T, f *flap, cat *catBehindTap) {
	t.Helper()
	var table struct{ Rows []headerRow }
	loadRows(t, "identity_headers.json", &table)
	for _, row := range table.Rows {
		if len(row.Trailers) > 0 {
			continue
		}
		cat.tap.take()
		raw := strings.Replace(row.request(f.addr, alice()), "POST /message", "GET /_catflap/documents", 1)
		raw = strings.Replace(raw, "?row="+row.ID, "", 1)
		got := exchange(t, f.addr, "GET", raw)
		if strings.Contains(string(got.body), "bob") || got.status == 200 && !strings.Contains(string(got.body), "alice.txt") {
			t.Errorf("%s: %d %s", row.ID, got.status, clip(got.body, 300))
		}
		for _, a := range cat.tap.take() {
			if id := strings.Join(a.foldedValues("user_id"), ","); !a.upgrades() && id != "anonymous" {
				t.Errorf("%s: the Cat was asked as %q", row.ID, id)
			}
		}
	}
}
