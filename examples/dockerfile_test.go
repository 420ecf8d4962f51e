package examples

import (
	"debug/elf"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestTheImageHoldsNothingButCatflap(t *testing.T) {
	l, err := dockerfile()
	if err != nil {
		t.Fatal(err)
	}
	last := len(l) - 1
	for l[last].name != "FROM" {
		last--
	}
	if l[last].args != "scratch" {
		t.Errorf("the last stage is FROM %s", l[last].args)
	}
	final := l[last:]
	for _, i := range final {
		switch i.name {
		case "FROM", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD", "LABEL":
		default:
			t.Errorf("the last stage has a %s", i.name)
		}
		if i.name == "COPY" && !strings.HasPrefix(i.args, "--from=build ") {
			t.Errorf("it copies something that was not built: %s", i.args)
		}
	}
	if user := lastOf(final, "USER"); !regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`).MatchString(user) {
		t.Errorf("USER %q: a number that is not root's, so that Kubernetes can see it", user)
	}
	if !slices.ContainsFunc(final, func(i instruction) bool {
		return i.name == "COPY" && strings.HasSuffix(i.args, " /etc/ssl/certs/ca-certificates.crt")
	}) {
		t.Error("no certificates of authorities, so no keys from an https address")
	}
}

func TestTheImagesBinaryIsStatic(t *testing.T) {
	f, err := elf.Open(binary)
	if err != nil && runtime.GOOS != "linux" {
		t.Skip("not a Linux machine:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary needs a loader (%v), which scratch does not have", p.Type)
		}
	}
	out, err := exec.Command(binary, "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "catflap "+builtVersion+" ") {
		t.Errorf("version: %v\n%s", err, out)
	}
}

// TestTheImagesCommands runs what the image would: each names the binary where it
// is, and a command that exists with flags that it has.
func TestTheImagesCommands(t *testing.T) {
	l, err := dockerfile()
	if err != nil {
		t.Fatal(err)
	}
	health := lastOf(l, "HEALTHCHECK")
	_, probe, ok := strings.Cut(health, "CMD ")
	if !ok {
		t.Fatalf("HEALTHCHECK %s", health)
	}
	check, err := words(strings.TrimSpace(probe))
	if err != nil {
		t.Fatal(err)
	}
	entry, err := words(lastOf(l, "ENTRYPOINT"))
	if err != nil {
		t.Fatal(err)
	}
	command, err := words(lastOf(l, "CMD"))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{check, append(entry, command...)} {
		if args[0] != "/catflap" {
			t.Errorf("%q: the binary is /catflap", args)
		}
		out, err := exec.Command(binary, append(slices.Clone(args[1:]), "--help")...).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "usage: catflap "+args[1]+" ") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	if !slices.Equal(command, []string{"run", "--config", "/etc/catflap/catflap.yaml"}) {
		t.Errorf("CMD %q: the examples put the configuration elsewhere", command)
	}
}
