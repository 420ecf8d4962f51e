//go:build unix

package keyfile

import (
	"fmt"
	"os"
	"syscall"
)

// keepOwner gives a new file the owner of the one before, so that Catflap's own user can
// still read it when root has changed it.
func keepOwner(f *os.File, old os.FileInfo) error {
	of, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	uid, gid := int(of.Uid), int(of.Gid)
	if err := f.Chown(uid, gid); err != nil && uid != os.Geteuid() {
		return fmt.Errorf("the file is the user's with number %d, and would no longer be: run this as that user, or as root", uid)
	}
	return nil
}
