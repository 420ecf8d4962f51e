package examples

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

type container struct {
	Name, Image   string
	RestartPolicy string `yaml:"restartPolicy"`
	Args          []string
	Ports         []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Env []struct {
		Name, Value string
		ValueFrom   struct {
			SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	}
	LivenessProbe, ReadinessProbe, StartupProbe struct {
		Exec struct{ Command []string }
	}
	VolumeMounts    []struct{ Name, MountPath, SubPath string } `yaml:"volumeMounts"`
	SecurityContext struct {
		RunAsNonRoot           bool `yaml:"runAsNonRoot"`
		RunAsUser              int  `yaml:"runAsUser"`
		ReadOnlyRootFilesystem bool `yaml:"readOnlyRootFilesystem"`
	} `yaml:"securityContext"`
}

type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Replicas int
		Strategy struct{ Type string }
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				InitContainers []container `yaml:"initContainers"`
				Containers     []container
				Volumes        []struct {
					Name      string
					ConfigMap struct{ Name string }      `yaml:"configMap"`
					Claim     struct{ ClaimName string } `yaml:"persistentVolumeClaim"`
				}
			}
		}
		Selector    map[string]any
		PodSelector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"podSelector"`
		PolicyTypes []string `yaml:"policyTypes"`
		AccessModes []string `yaml:"accessModes"`
		Ingress     []struct {
			Ports []struct {
				Protocol string
				Port     int
			}
		}
		Ports []struct{ TargetPort string }
	}
}

// objects reads the manifest; probes have names of their own in YAML.
func objects(t *testing.T) map[string]object {
	t.Helper()
	found := map[string]object{}
	text := strings.NewReplacer("livenessProbe:", "livenessprobe:", "readinessProbe:", "readinessprobe:", "startupProbe:", "startupprobe:", "mountPath:", "mountpath:", "subPath:", "subpath:", "claimName:", "claimname:", "targetPort:", "targetport:").
		Replace(read(t, "kubernetes/catflap.yaml"))
	for document := range strings.SplitSeq(text, "\n---\n") {
		var o object
		if err := yaml.Load([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		found[o.Kind] = o
	}
	return found
}

func TestKubernetes(t *testing.T) {
	all := objects(t)
	pod := all["Deployment"].Spec.Template.Spec
	if len(pod.Containers) != 2 || pod.Containers[0].Name != "catflap" || pod.Containers[1].Name != "cat" {
		t.Fatalf("the pod holds %+v", pod.Containers)
	}
	catflap, cat := pod.Containers[0], pod.Containers[1]

	policy := all["NetworkPolicy"].Spec
	labels := all["Deployment"].Spec.Template.Metadata.Labels
	if policy.PodSelector.MatchLabels["app"] == "" || policy.PodSelector.MatchLabels["app"] != labels["app"] || !slices.Contains(policy.PolicyTypes, "Ingress") {
		t.Errorf("the policy is not about the pod: %+v", policy)
	}
	if len(policy.Ingress) != 1 || len(policy.Ingress[0].Ports) != 1 || policy.Ingress[0].Ports[0].Port != 8080 {
		t.Errorf("into the pod leads more than Catflap's port: %+v", policy.Ingress)
	}
	if len(cat.Ports) > 0 {
		t.Error("the Cat's port is named, as if somebody should use it")
	}
	if d := all["Deployment"].Spec; d.Replicas != 1 || d.Strategy.Type != "Recreate" {
		t.Error("two Catflaps would open two sockets for one person")
	}
	if s := all["Service"].Spec; len(s.Ports) != 1 || s.Ports[0].TargetPort != "http" || s.Selector["app"] != labels["app"] {
		t.Errorf("the service is %+v", s)
	}
	if s := catflap.SecurityContext; !s.RunAsNonRoot || s.RunAsUser == 0 || !s.ReadOnlyRootFilesystem {
		t.Errorf("Catflap runs as %+v", s)
	}
	for _, probe := range [][]string{catflap.LivenessProbe.Exec.Command, catflap.ReadinessProbe.Exec.Command} {
		if len(probe) < 2 || probe[0] != "/catflap" {
			t.Errorf("probe %q", probe)
			continue
		}
		if out, err := exec.Command(binary, append(slices.Clone(probe[1:]), "--help")...).CombinedOutput(); err != nil {
			t.Errorf("probe %q: %s", probe, out)
		}
	}
	config := all["ConfigMap"].Data["catflap.yaml"]
	if !strings.Contains(config, "\nadmin_listen: 127.0.0.1:9090 ") {
		t.Error("the probes ask at 127.0.0.1:9090")
	}
	if !mounts(catflap, pod.Volumes[0].Name) || pod.Volumes[0].ConfigMap.Name != all["ConfigMap"].Metadata.Name {
		t.Error("the configuration is not mounted")
	}
	for _, e := range append(slices.Clone(catflap.Env), cat.Env...) {
		if e.Name == "CCAT_QDRANT_HOST" {
			continue // no secret; see TestKubernetesCatRemembers
		}
		if ref := e.ValueFrom.SecretKeyRef; ref.Name != "cat-keys" || ref.Key != e.Name {
			t.Errorf("%s comes from %+v", e.Name, ref)
		}
	}
	serve(t, example{binary, catflap.Args, names(catflap), config}).mustServe(t)
}

// TestKubernetesCatRemembers: what people and administrators put into the Cat outlasts
// the pod, and its memories stand in a store for many people at once.
func TestKubernetesCatRemembers(t *testing.T) {
	all := objects(t)
	pod := all["Deployment"].Spec.Template.Spec
	cat := pod.Containers[1]
	if len(pod.InitContainers) != 1 || pod.InitContainers[0].RestartPolicy != "Always" {
		t.Fatalf("no sidecar starts before the Cat: %+v", pod.InitContainers)
	}
	qdrant := pod.InitContainers[0]
	if cat.Image != catImage || qdrant.Image != qdrantImage {
		t.Errorf("images %s, %s", cat.Image, qdrant.Image)
	}
	claimed := ""
	for _, v := range pod.Volumes {
		if name := v.Claim.ClaimName; name != "" && name == all["PersistentVolumeClaim"].Metadata.Name {
			claimed = v.Name
		}
	}
	if modes := all["PersistentVolumeClaim"].Spec.AccessModes; claimed == "" || !slices.Equal(modes, []string{"ReadWriteOnce"}) {
		t.Errorf("the claim: %q, %v", claimed, modes)
	}
	lasts := map[string]string{}
	for _, m := range append(slices.Clone(cat.VolumeMounts), qdrant.VolumeMounts...) {
		if m.Name != claimed || m.SubPath == "" || slices.Contains(slices.Collect(maps.Values(lasts)), m.SubPath) {
			t.Errorf("%s is lost with the pod, or shares its folder: %+v", m.MountPath, m)
		}
		lasts[m.MountPath] = m.SubPath
	}
	want := []string{"/app/cat/data", "/app/cat/plugins", "/app/cat/static", "/qdrant/storage"}
	if got := slices.Sorted(maps.Keys(lasts)); !slices.Equal(got, want) {
		t.Errorf("lasting are %v", got)
	}
	if value(cat, "CCAT_QDRANT_HOST") != "127.0.0.1" || value(qdrant, "QDRANT__SERVICE__HOST") != "127.0.0.1" {
		t.Error("the Cat and Qdrant do not meet inside of the pod")
	}
	if probe := qdrant.StartupProbe.Exec.Command; !slices.Equal(probe, qdrantProbe()[1:]) {
		t.Errorf("the Cat starts before Qdrant listens: %v", probe)
	}
	if want := append(slices.Sorted(maps.Keys(keys())), "CCAT_QDRANT_HOST"); !slices.Equal(names(cat), want) {
		t.Errorf("the Cat's environment is %v", names(cat))
	}
}

func value(c container, name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

func mounts(c container, volume string) bool {
	for _, m := range c.VolumeMounts {
		if m.Name == volume && m.MountPath+"/catflap.yaml" == configPath {
			return true
		}
	}
	return false
}

func names(c container) (l []string) {
	for _, e := range c.Env {
		l = append(l, e.Name)
	}
	return l
}

// TestKubernetesCommands: what the README and the manifest's head have people type names
// the secret's keys, the pod and the container as the manifest does.
func TestKubernetesCommands(t *testing.T) {
	all := objects(t)
	pod := all["Deployment"]
	manifest, _, _ := strings.Cut(read(t, "kubernetes/catflap.yaml"), "\napiVersion:")
	for name, text := range map[string]string{"README.md": read(t, "kubernetes/README.md"), "catflap.yaml": manifest} {
		said := []string{"create secret generic cat-keys", "apply -f catflap.yaml", "port-forward deploy/" + pod.Metadata.Name + " 1865:80", "patch secret cat-keys", "cat-accounts create --cat-url http://127.0.0.1:1865"}
		for key := range keys() {
			said = append(said, "--from-literal="+key+"=$(openssl rand -hex 32)")
		}
		for _, e := range pod.Spec.Template.Spec.Containers[0].Env {
			said = append(said, e.Name)
		}
		for _, s := range said {
			if !strings.Contains(text, s) {
				t.Errorf("%s does not say %q", name, s)
			}
		}
	}
	if c := pod.Spec.Template.Spec.Containers[0]; !strings.HasPrefix(c.Image, "catflap:") || !strings.Contains(read(t, "kubernetes/README.md"), "exec deploy/cat -c "+c.Name+" -- /catflap healthcheck --ready") {
		t.Errorf("image %s, container %s", c.Image, c.Name)
	}
}
