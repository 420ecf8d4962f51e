package reread

import "os"

// Stamp tells one state of some files from another. That of no files, the zero value, is
// the state of none: it differs from each that [Look] returns for a path.
type Stamp struct{ files []os.FileInfo }

// Look returns the state of the files. One that can't be looked at has a state too.
func Look(paths ...string) Stamp {
	s := Stamp{make([]os.FileInfo, len(paths))}
	for i, path := range paths {
		if info, err := os.Stat(path); err == nil {
			s.files[i] = info
		}
	}
	return s
}

// Same reports whether nothing has changed between two looks at the same paths.
func (s Stamp) Same(other Stamp) bool {
	if len(s.files) != len(other.files) {
		return false
	}
	for i, a := range s.files {
		b := other.files[i]
		if (a == nil) != (b == nil) || a != nil && !unchanged(a, b) {
			return false
		}
	}
	return true
}

func unchanged(a, b os.FileInfo) bool {
	return a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && os.SameFile(a, b)
}
