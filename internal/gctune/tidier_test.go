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
