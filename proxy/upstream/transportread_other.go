//go:build !unix

package upstream

// readDescriptor can't look without waiting here, so that a connection to the Cat is
// never taken for quiet, and each request gets one of its own.
func readDescriptor(uintptr, []byte) (int, error) { return 0, errNoDescriptor }
