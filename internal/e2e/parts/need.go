package parts

import "os"

// Need skips a test whose part is missing, and fails it in CI (CI=true), where a missing
// part is a defect. Without an error it does nothing.
func Need(t interface {
	Helper()
	Fatal(args ...any)
	Skip(args ...any)
}, missing error) {
	t.Helper()
	switch {
	case missing == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
}
