package refusals

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPageIsCurrent: what the page says is what the table says.
func TestPageIsCurrent(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Into(string(page))
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != want {
		t.Error("docs/operations.md has another table; run go generate ./proxy/refusals")
	}
	if _, err := Into("# A page without a place\n"); err == nil {
		t.Error("the table is written into any page")
	}
}
