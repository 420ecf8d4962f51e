package examples

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

type composeFile struct {
	Services map[string]struct {
		Build, Image  string
		Command       []string
		Ports         []string
		Environment   map[string]string
		Volumes       []string
		Networks      []string
		ReadOnly      bool     `yaml:"read_only"`
		CapDrop       []string `yaml:"cap_drop"`
		StopGrace     string   `yaml:"stop_grace_period"`
		NetworkMode   string   `yaml:"network_mode"`
		Expose        []string
		Restart       string
		DependsOn     []string `yaml:"depends_on"`
		SecurityOpt   []string `yaml:"security_opt"`
		EnvironmentOf string   `yaml:"env_file"`
	}
	Networks map[string]*struct{ Internal bool }
	Volumes  map[string]any
}

func TestCompose(t *testing.T) {
	text := read(t, "compose/compose.yaml")
	var c composeFile
	if err := yaml.Load([]byte(text), &c, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
	cat, catflap := c.Services["cat"], c.Services["catflap"]
	if len(cat.Ports) > 0 || cat.NetworkMode != "" {
		t.Error("the Cat's port is published: whoever reaches it gets past Catflap")
	}
	for _, name := range slices.Sorted(maps.Keys(keys())) {
		if !strings.HasPrefix(cat.Environment[name], "${"+name+":?") {
			t.Errorf("the Cat runs without a %s of the operator's own", name)
		}
		if !strings.Contains(read(t, "compose/env.example"), "\n"+name+"=\n") {
			t.Errorf("env.example does not ask for %s", name)
		}
	}
	for _, network := range cat.Networks {
		n, ok := c.Networks[network]
		if !ok {
			t.Errorf("no network %s", network)
		}
		if inside := n != nil && n.Internal; slices.Contains(catflap.Networks, network) != inside {
			t.Errorf("network %s: the Cat and Catflap meet on an internal one, and nobody else meets the Cat", network)
		}
	}
	if _, err := os.Stat(filepath.Join("compose", catflap.Build, "Dockerfile")); err != nil {
		t.Error(err)
	}
	if !catflap.ReadOnly || !slices.Equal(catflap.CapDrop, []string{"ALL"}) {
		t.Error("Catflap can write, or has capabilities")
	}
	mounted := false
	for _, v := range catflap.Volumes {
		mounted = mounted || v == "./catflap.yaml:"+configPath+":ro"
	}
	if !mounted {
		t.Errorf("the configuration is not mounted at %s", configPath)
	}
	config := read(t, "compose/catflap.yaml")
	if !strings.Contains(config, "url: http://cat:80\n") {
		t.Error("the Cat's name on the network is cat")
	}
	serve(t, example{binary, catflap.Command, slices.Collect(maps.Keys(catflap.Environment)), config}).mustServe(t)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
