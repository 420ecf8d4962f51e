package gctune

import "testing"

func TestMemoryIsTidiedWhenItIsQuiet(t *testing.T) {
	const mib = 1 << 20
	var d tidier
	for i, c := range []struct {
		allocated uint64
		due       bool
	}{
		{3 * mib, false},           // busy
		{3*mib + 1, false},         // calm, and not worth it
		{50 * mib, false},          // busy
		{90 * mib, false},          // busy
		{90*mib + 200<<10, true},   // calm
		{90*mib + 300<<10, false},  // once is enough
		{90*mib + 500<<10, false},  //
		{91 * mib, false},          // busy
		{93*mib + 900<<10, false},  // busy
		{93*mib + 1000<<10, false}, // not worth it
		{94*mib + 200<<10, true},   // little by little it is
		{94*mib + 200<<10, false},  // nothing at all
		{1000 * mib, false},        //
		{1000*mib + quiet, false},  // not calm enough
		{1000*mib + quiet + 1, true},
	} {
		if got := d.due(c.allocated, 10); got != c.due {
			t.Errorf("step %d, %d KiB: %v", i, c.allocated>>10, got)
		}
	}
}

func TestMemoryIsTidiedAfterManyGoroutines(t *testing.T) {
	var d tidier
	for i, c := range []struct {
		goroutines uint64
		due        bool
	}{
		{10, false},
		{900, false},
		{5, false}, // too few to matter
		{3000, false},
		{2500, false},
		{1500, true},
		{1400, false}, // once is enough
		{100, true},
		{100, false},
	} {
		if got := d.due(0, c.goroutines); got != c.due {
			t.Errorf("step %d, %d goroutines: %v", i, c.goroutines, got)
		}
	}
}

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
