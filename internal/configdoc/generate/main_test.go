package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy/cat"
)

// The examples of the documentation are valid with the types that it documents.
func TestExamplesAreValid(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	known := config.Known{Handlers: handlerTypes(), Permissions: []string{"*"}}
	for _, resource := range cat.Resources() {
		for _, action := range append(cat.Actions(), "*") {
			name := resource + ":" + action
			if _, err := cat.ParsePermissions(name); err == nil {
				known.Permissions = append(known.Permissions, name)
			}
		}
	}
	for _, name := range []string{"catflap.example.yaml", "catflap.oidc.example.yaml"} {
		c, err := config.Load(filepath.Join(root, "examples", name), known)
		if err != nil {
			t.Error(err)
			continue
		}
		if w := c.Warnings(); len(w) > 0 {
			t.Errorf("%s: warnings: %v", name, w)
		}
	}
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	files, err := generated(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what the types say; run go generate ./config", name)
		}
	}
}
