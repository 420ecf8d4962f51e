package value

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Path is a file's path. In a configuration file it is relative to the folder of
// that file, not to the working directory of the process.
type Path string

// Below returns p as seen from the folder dir: p itself when it is absolute or empty.
func (p Path) Below(dir string) Path {
	if p == "" || filepath.IsAbs(string(p)) {
		return p
	}
	return Path(filepath.Join(dir, string(p)))
}

// ReadFile reads a file of at most limit bytes. A larger one is an error, never
// cut. A pipe is read to its end, so that a shell's process substitution works.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator's own configuration names the path
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return b, nil
}
