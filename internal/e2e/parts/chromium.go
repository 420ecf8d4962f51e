package parts

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

const chromiumInstead = "install Chromium, so that chromium is in PATH"

func chromiumPackages() []string {
	return []string{"chromium", "chromium-common", "fontconfig-config", "fonts-dejavu-core"}
}

// Chromium is the browser, and what it needs in its environment beside what is
// there. The error wraps ErrMissing or says what the machine lacks.
func (p Parts) Chromium() (binary string, env []string, err error) {
	if own := ownChromium(); own != "" {
		return own, nil, nil
	}
	one := p.chromiumPart()
	if err := one.have(); err != nil {
		return "", nil, err
	}
	binary, env = chromiumIn(one.dir)
	if !saysVersion(binary, env, "Chromium") {
		return "", nil, fmt.Errorf("%s does not run: %w", shorten(binary), ErrMissing)
	}
	return binary, env, nil
}

func (p Parts) chromiumPart() part {
	dir := filepath.Join(p.dir, "debian", "chromium")
	return part{
		name: "chromium", what: "Chromium and a font from Debian " + debian, dir: dir, own: ownChromium,
		stamp: func() (string, error) { return debianStamp(chromiumPackages(), chromiumInstead) },
		bring: func(b *bringing) error {
			if err := bringDebian(b, chromiumPackages()); err != nil {
				return err
			}
			if err := b.write("fonts.conf", fontsConf(dir)); err != nil {
				return err
			}
			if binary, env := chromiumIn(dir); !saysVersion(binary, env, "Chromium") {
				return fmt.Errorf("what came does not say that it is Chromium")
			}
			return nil
		},
	}
}

// fontsConf lets the browser see one family alone, the same on each machine.
func fontsConf(root string) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>%s</dir><cachedir>%s</cachedir></fontconfig>
`, filepath.Join(root, "usr", "share", "fonts"), filepath.Join(root, "fontcache"))
}

func chromiumIn(root string) (binary string, env []string) {
	return filepath.Join(root, "usr", "lib", "chromium", "chromium"),
		[]string{libraries(root), "FONTCONFIG_FILE=" + filepath.Join(root, "fonts.conf")}
}

// ownChromium is a browser that somebody has installed. Debian's chromium in PATH is
// a shell script around the program, which is taken by itself.
func ownChromium() string {
	if _, err := exec.LookPath("chromium"); err != nil {
		return ""
	}
	for _, own := range []string{"/usr/lib/chromium/chromium", "chromium"} {
		if path, err := exec.LookPath(own); err == nil && saysVersion(path, nil, "Chromium") {
			return path
		}
	}
	return ""
}
