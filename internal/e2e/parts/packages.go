package parts

import (
	_ "embed" // the pins
	"path/filepath"
)

//go:embed package.json
var packageJSON []byte

//go:embed package-lock.json
var packageLock []byte

//go:embed requirements.txt
var requirements []byte

//go:embed plugin-requirements.txt
var pluginRequirements []byte

// NodeModules is the folder of the npm packages.
func (p Parts) NodeModules() string { return filepath.Join(p.nodePart().dir, "node_modules") }

// Python is the interpreter that has the Python packages.
func (p Parts) Python() string { return interpreter(p.pythonPart().dir) }

// PluginPython is the interpreter that runs the tests of the Cat's plugins.
func (p Parts) PluginPython() string { return interpreter(p.pluginPart().dir) }

// HaveNode returns nil if the npm packages are there, or an error that wraps
// ErrMissing or says which program the machine lacks.
func (p Parts) HaveNode() error { return p.nodePart().have() }

// HavePython is HaveNode of the Python packages.
func (p Parts) HavePython() error { return p.pythonPart().have() }

// HavePlugin is HaveNode of what the tests of the Cat's plugins need.
func (p Parts) HavePlugin() error { return p.pluginPart().have() }

func (p Parts) nodePart() part {
	return part{
		name: "node", what: "oidc-provider, the Cat's JavaScript clients and axe-core, from npm",
		dir:   filepath.Join(p.dir, "node"),
		stamp: func() (string, error) { return stampOf("node", "--version", packageJSON, packageLock) },
		bring: func(b *bringing) error {
			if err := b.write("package.json", packageJSON); err != nil {
				return err
			}
			if err := b.write("package-lock.json", packageLock); err != nil {
				return err
			}
			// No package of these needs a script at its installation, so none may run one.
			return b.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		},
	}
}

func (p Parts) pythonPart() part {
	return p.pypiPart("python", "the Cat's server stack, its Python client and the Autobahn cases, from PyPI", requirements)
}

func (p Parts) pluginPart() part {
	return p.pypiPart("plugin", "what runs the tests of the Cat's plugins, from PyPI", pluginRequirements)
}

func (p Parts) pypiPart(name, what string, pins []byte) part {
	dir := filepath.Join(p.dir, name)
	return part{
		name: name, what: what, dir: dir,
		stamp: func() (string, error) { return stampOf("python3", "--version", pins) },
		bring: func(b *bringing) error {
			if err := b.write("requirements.txt", pins); err != nil {
				return err
			}
			if err := b.run("python3", "-m", "venv", "."); err != nil {
				return err
			}
			// Without dependencies: the list is whole, and nothing that is not in it comes in.
			return b.run(interpreter(dir), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
				"--no-deps", "--requirement", "requirements.txt")
		},
	}
}

func interpreter(dir string) string { return filepath.Join(dir, "bin", "python") }
