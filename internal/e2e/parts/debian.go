package parts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// debian is the release that the packages fit: a library of another release would
// not fit the machine's own C library.
const debian = "12"

// debianStamp hashes the release and the packages. Versions are not in it: a fix of
// Debian's is no other part, and its archive keeps only the newest of a release.
func debianStamp(packages []string, instead string) (string, error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil || !isDebian(string(release)) {
		return "", fmt.Errorf("this is not Debian %s, so it is not brought: %s", debian, instead)
	}
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("this needs %s: %w", program, err)
		}
	}
	return hashOf([]byte(debian), []byte(strings.Join(packages, " "))), nil
}

func isDebian(release string) bool {
	lines := strings.Split(release, "\n")
	return slices.Contains(lines, "ID=debian") && slices.Contains(lines, `VERSION_ID="`+debian+`"`)
}

// bringDebian downloads the packages, with those that they need and the machine
// lacks, and unpacks them below the folder of the part. The system is not changed,
// and nobody need be root: apt keeps its lists and its archives in that folder too.
func bringDebian(b *bringing, packages []string) error {
	for _, dir := range []string{"apt/lists/partial", "apt/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(b.dir, dir), 0o755); err != nil {
			return err
		}
	}
	apt := filepath.Join(b.dir, "apt")
	get := func(args ...string) error {
		return b.run("apt-get", append([]string{"-q", "-y",
			"-o", "Dir::State::lists=" + filepath.Join(apt, "lists"),
			"-o", "Dir::Cache=" + apt,
			"-o", "APT::Sandbox::User=", // as the one who runs it: others need not see the folder
			"-o", "Debug::NoLocking=1", // of the system's files, which are only read
			"-o", "Acquire::Languages=none",
			"-o", "Acquire::Retries=3",
		}, args...)...)
	}
	if err := get("update"); err != nil {
		return err
	}
	install := append([]string{"install", "--download-only", "--reinstall", "--no-install-recommends"}, packages...)
	if err := get(install...); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(apt, "archives", "*.deb"))
	if err != nil || len(archives) == 0 {
		return errors.Join(err, errors.New("apt-get has downloaded nothing"))
	}
	for _, deb := range archives {
		if strings.HasPrefix(filepath.Base(deb), "libc6_") {
			continue // it fits the machine's own loader alone
		}
		if err := b.run("dpkg-deb", "--extract", deb, b.dir); err != nil {
			return err
		}
	}
	return os.RemoveAll(apt)
}

// libraries is what a program below root needs in its environment to find those
// that were unpacked beside it.
func libraries(root string) string {
	var dirs []string
	for _, pattern := range []string{"lib/*-linux-gnu*", "usr/lib/*-linux-gnu*", "usr/lib/*-linux-gnu*/pulseaudio"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern)) // the patterns are good ones
		dirs = append(dirs, found...)
	}
	return "LD_LIBRARY_PATH=" + strings.Join(dirs, ":")
}

// saysVersion runs the program with --version, and reports whether it says so.
func saysVersion(program string, env []string, version string) bool {
	cmd := exec.Command(program, "--version")
	cmd.Env = append(os.Environ(), env...)
	said, err := cmd.Output()
	return err == nil && strings.Contains(string(said), version)
}
