package gctune

import "testing"

func TestPaceOfTheCollector(t *testing.T) {
	const mib = 1 << 20
	p := pacer{set: relaxed}
	for i, c := range []struct {
		live uint64
		want int
	}{
		{0, 300},
		{2 * mib, 300},
		{4 * mib, 300},  // it grows, and is not much
		{12 * mib, 50},  // much, and growing
		{20 * mib, 50},  // still
		{21 * mib, 114}, // hardly
		{21 * mib, 114},
		{18 * mib, 114}, // a small change
		{12 * mib, 200},
		{11 * mib, 200},
		{1000 * mib, 50},
		{1000 * mib, 100},
		{mib, 300},
	} {
		before := p.set
		got, changed := p.next(c.live, uint64(i)+1)
		if got != c.want || changed != (got != before) {
			t.Errorf("step %d, %d MiB: %d, changed: %v", i, c.live/mib, got, changed)
		}
		if again, changed := p.next(c.live+mib, uint64(i)+1); again != c.want || changed {
			t.Errorf("step %d, without a cycle: %d, changed: %v", i, again, changed)
		}
	}
}
