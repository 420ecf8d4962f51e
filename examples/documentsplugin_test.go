package examples

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDocumentsExample: the configuration serves, closes the recall, and answers about
// one's own documents, here before a Cat without the plugin.
func TestDocumentsExample(t *testing.T) {
	config := read(t, "cat-plugin-documents/catflap.yaml")
	s := serve(t, example{binary, []string{"run", "--config", configPath}, []string{"CCAT_JWT_SECRET", "CAT_READER_ACCOUNT_ID", "CAT_ADMIN_ACCOUNT_ID"}, config})
	s.mustServe(t)
	for path, want := range map[string]int{"/memory/recall?text=x": 403, "/_catflap/documents": 200} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.issuer.Token("alice"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != want || want == 200 && !strings.HasPrefix(string(body), `{"documents":[],"complete":true,"plugin":"missing","hint":"`) {
			t.Errorf("%s: %d %s, %v", path, resp.StatusCode, body, err)
		}
	}
}

// TestDocumentsPluginFolder: the Cat imports each Python file in a plugin's folder, so that
// there is nothing in it but the plugin.
func TestDocumentsPluginFolder(t *testing.T) {
	files, err := filepath.Glob("cat-plugin-documents/catflap_documents/*")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if name := filepath.Base(f); name != "__pycache__" {
			names = append(names, name)
		}
	}
	if want := []string{"catflap_attributes.py", "documents.py", "groups.py", "marks.py", "plugin.json"}; !slices.Equal(names, want) {
		t.Errorf("the folder holds %q, want %q", names, want)
	}
	var manifest struct{ Name, Description, Version string }
	if err := json.Unmarshal([]byte(read(t, "cat-plugin-documents/catflap_documents/plugin.json")), &manifest); err != nil || manifest.Name == "" || manifest.Version == "" {
		t.Errorf("%+v, %v", manifest, err)
	}
}

// TestOneHelperForAttributes: a plugin has its own copy of the helper that reads what
// Catflap has signed, and all copies are one.
func TestOneHelperForAttributes(t *testing.T) {
	const own = "cat-plugin-documents/catflap_documents/catflap_attributes.py"
	others, err := filepath.Glob("*/catflap_attributes.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range others {
		if read(t, other) != read(t, own) {
			t.Errorf("%s and %s differ: copy the one over the other", other, own)
		}
	}
}
