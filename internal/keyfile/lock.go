package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// The bounds of a lock: one change takes milliseconds.
const (
	lockWait  = 10 * time.Second
	lockPause = 10 * time.Millisecond
)

// lock waits for other writers. The lock is a file beside the file of keys. One whose
// writer was killed stays, since nobody can take it over without a race.
func lock(path string) (unlock func(), err error) {
	name := path + ".lock"
	for end := time.Now().Add(lockWait); ; time.Sleep(lockPause) {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the file
		if err == nil {
			_ = f.Close()
			return func() { _ = os.Remove(name) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%s: another catflap key is at work; remove this file if there is none", name)
		}
	}
}
