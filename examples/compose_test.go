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

// The images that the examples start beside Catflap.
const (
	catImage    = "ghcr.io/cheshire-cat-ai/core:1.9.2"
	qdrantImage = "qdrant/qdrant:v1.13.6" // of the Cat's own client, qdrant_client 1.13
)

type composeService struct {
	Build, Image string
	PullPolicy   string `yaml:"pull_policy"`
	Command      []string
	Ports        yaml.Node
	Environment  map[string]string
	Volumes      []string
	Networks     []string
	ReadOnly     bool      `yaml:"read_only"`
	CapDrop      []string  `yaml:"cap_drop"`
	StopGrace    string    `yaml:"stop_grace_period"`
	NetworkMode  string    `yaml:"network_mode"`
	DependsOn    yaml.Node `yaml:"depends_on"`
	SecurityOpt  []string  `yaml:"security_opt"`
	Restart      string
	Healthcheck  struct {
		Test              []string
		Interval, Timeout string
		Retries           int
	}
}

type composeFile struct {
	Services map[string]composeService
	Networks map[string]*struct{ Internal bool }
	Volumes  map[string]any
}

func composed(t *testing.T, name string) (c composeFile) {
	t.Helper()
	if err := yaml.Load([]byte(read(t, name)), &c, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCompose(t *testing.T) {
	c := composed(t, "compose/compose.yaml")
	cat, catflap := c.Services["cat"], c.Services["catflap"]
	if len(cat.Ports.Content) > 0 {
		t.Error("the Cat's port is published: a person who reaches it gets past Catflap")
	}
	if cat.Image != catImage {
		t.Errorf("the Cat's image is %s", cat.Image)
	}
	if _, err := os.Stat(filepath.Join("compose", catflap.Build, "Dockerfile")); err != nil {
		t.Error(err)
	}
	c.mustLast(t, "cat", "/app/cat/data", "/app/cat/plugins", "/app/cat/static")
	c.mustGuard(t, "compose", "cat")
}

// TestComposeOverride holds the file to the Cat's own compose.yml of 1.9.2: one service,
// cheshire-cat-core, which publishes 1865 and 5678 and mounts its own folder.
func TestComposeOverride(t *testing.T) {
	c := composed(t, "compose-override/compose.override.yaml")
	cat, catflap := c.Services["cheshire-cat-core"], c.Services["catflap"]
	if cat.Ports.Tag != "!reset" || len(cat.Ports.Content) > 0 {
		t.Errorf("the Cat's ports stay published: %s %v", cat.Ports.Tag, cat.Ports.Content)
	}
	if cat.Image != "" || cat.Build != "" || len(cat.Command) > 0 || len(cat.Volumes) > 0 {
		t.Errorf("it changes more of the Cat than it must: %+v", cat)
	}
	if catflap.PullPolicy != "never" {
		t.Error("where catflap is not built, somebody else's image of that name is fetched")
	}
	c.mustGuard(t, "compose-override", "cheshire-cat-core")
}

// mustGuard holds what both have in common: the Cat has keys, memory for many people,
// and no neighbour but Catflap and Qdrant; and Catflap serves.
func (c composeFile) mustGuard(t *testing.T, dir, catName string) {
	t.Helper()
	cat, qdrant := c.Services[catName], c.Services["qdrant"]
	if len(c.Services) != 3 || cat.NetworkMode != "" {
		t.Errorf("services %v", slices.Sorted(maps.Keys(c.Services)))
	}
	for _, name := range slices.Sorted(maps.Keys(keys())) {
		if !strings.HasPrefix(cat.Environment[name], "${"+name+":?") {
			t.Errorf("the Cat runs without a %s of the operator's own", name)
		}
		if !strings.Contains(read(t, dir+"/env.example"), "\n"+name+"=\n") {
			t.Errorf("env.example does not ask for %s", name)
		}
	}
	if cat.Environment["CCAT_QDRANT_HOST"] != "qdrant" || len(cat.Environment) != len(keys())+1 {
		t.Errorf("the Cat's environment is %v", cat.Environment)
	}
	if waits := cat.DependsOn.Content; len(waits) != 2 || waits[0].Value != "qdrant" || waits[1].Content[1].Value != "service_healthy" {
		t.Error("the Cat does not wait for Qdrant, and ends where it finds none")
	}
	if qdrant.Image != qdrantImage || len(qdrant.Ports.Content) > 0 || !slices.Equal(qdrant.Healthcheck.Test, qdrantProbe()) {
		t.Errorf("qdrant: %+v", qdrant)
	}
	c.mustLast(t, "qdrant", "/qdrant/storage")
	c.mustPart(t, catName)
	c.mustRun(t, dir, catName)
}

// mustPart: each network is for its few members alone, and leads out for one of them.
func (c composeFile) mustPart(t *testing.T, catName string) {
	t.Helper()
	for network, members := range map[string][]string{"back": {"catflap", catName}, "memory": {catName, "qdrant"}, "models": {catName}, "front": {"catflap"}} {
		n, ok := c.Networks[network]
		if inside := n != nil && n.Internal; !ok || inside != (len(members) == 2) {
			t.Errorf("network %s: there %t, internal %t", network, ok, inside)
		}
		for name, s := range c.Services {
			if slices.Contains(s.Networks, network) != slices.Contains(members, name) {
				t.Errorf("network %s: it is for %v alone; %s is in %v", network, members, name, s.Networks)
			}
		}
	}
}

// mustRun: Catflap is closed in, finds its configuration and the Cat, and serves.
func (c composeFile) mustRun(t *testing.T, dir, catName string) {
	t.Helper()
	catflap := c.Services["catflap"]
	if !catflap.ReadOnly || !slices.Equal(catflap.CapDrop, []string{"ALL"}) || catflap.Image != "catflap" {
		t.Error("Catflap can write, has capabilities, or is another image")
	}
	if !slices.Equal(catflap.Volumes, []string{"./catflap.yaml:" + configPath + ":ro"}) {
		t.Errorf("the configuration is not mounted at %s", configPath)
	}
	config := read(t, dir+"/catflap.yaml")
	if !strings.Contains(config, "url: http://"+catName+":80\n") {
		t.Errorf("the Cat's name on the network is %s", catName)
	}
	if len(catflap.Ports.Content) != 1 || catflap.Ports.Content[0].Value != "8080:8080" || !strings.Contains(config, "\nlisten: 0.0.0.0:8080 ") {
		t.Error("Catflap's port is not published")
	}
	readme := read(t, dir+"/README.md")
	for _, said := range []string{"--cat-url http://" + catName + ":80", "run --rm --no-deps catflap check " + configPath, "exec catflap /catflap healthcheck --ready", " " + catName + "\n"} {
		if !strings.Contains(readme, said) {
			t.Errorf("the README does not say %q", said)
		}
	}
	serve(t, example{binary, catflap.Command, slices.Collect(maps.Keys(catflap.Environment)), config}).mustServe(t)
}

// mustLast: each of the paths is a named volume, which outlasts its container.
func (c composeFile) mustLast(t *testing.T, service string, paths ...string) {
	t.Helper()
	var mounted []string
	for _, v := range c.Services[service].Volumes {
		name, path, _ := strings.Cut(v, ":")
		if _, ok := c.Volumes[name]; ok {
			mounted = append(mounted, path)
		}
	}
	if !slices.Equal(mounted, paths) {
		t.Errorf("%s: named volumes are at %v", service, mounted)
	}
}

// qdrantProbe asks whether Qdrant listens, in an image that has bash and no curl.
func qdrantProbe() []string {
	return []string{"CMD", "bash", "-c", ":> /dev/tcp/127.0.0.1/6333"}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPeopleAreToldOfQdrant where they look when they begin, and when it has broken.
func TestPeopleAreToldOfQdrant(t *testing.T) {
	for _, page := range []string{"../README.md", "../docs/operations.md", "../proxy/cat/cattest/doc.go"} {
		if !strings.Contains(read(t, page), "CCAT_QDRANT_HOST") {
			t.Errorf("%s does not name CCAT_QDRANT_HOST", page)
		}
	}
}
