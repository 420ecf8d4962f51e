package gctune

import "testing"

func TestLimitOfTheCollector(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name       string
		most, live uint64
		want       int64
	}{
		{"at the start", 0, 0, 160 * mib},
		{"a container", 230 * mib, 10 * mib, 160 * mib},
		{"a container that is small", 100 * mib, 10 * mib, 100 * mib},
		{"much is live", 0, 200 * mib, 300 * mib},
		{"much is live in a container", 230 * mib, 200 * mib, 230 * mib},
	} {
		l := limiter{most: c.most}
		if got, changed := l.next(c.live); got != c.want || !changed {
			t.Errorf("%s: %d MiB", c.name, got/mib)
		}
		if _, changed := l.next(c.live + c.live/10); changed {
			t.Errorf("%s: it changes for little", c.name)
		}
	}
}
