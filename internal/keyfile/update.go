package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/catflap/catflap/config/value"
)

// Read reads a file of keys. One that is not there holds none.
func Read(path string) (*File, error) {
	content, err := value.ReadFile(path, MaxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return &File{}, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Update changes a file of keys, which need not be there. Other writers wait. The file
// is replaced as a whole, or stays as it is; so does its owner, and so do its rights.
func Update(path string, change func(*File) error) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	unlock, err := lock(path)
	if err != nil {
		return err
	}
	defer unlock()
	f, err := Read(path)
	if err != nil {
		return err
	}
	if err := change(f); err != nil {
		return err
	}
	content, err := f.Marshal()
	if err != nil {
		return err
	}
	if _, err := Parse(content); err != nil { // what nobody could read is not written
		return fmt.Errorf("%s: %w", path, err)
	}
	return replace(path, content)
}

// target follows symbolic links, so that not the link is replaced but its file.
func target(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	return real, err
}

// replace writes a file beside the old one and puts it in its place.
func replace(path string, content []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // with 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if old, err := os.Stat(path); err == nil {
		if err := tmp.Chmod(old.Mode().Perm()); err != nil {
			return err
		}
		if err := keepOwner(tmp, old); err != nil {
			return err
		}
	}
	if _, err = tmp.Write(content); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
