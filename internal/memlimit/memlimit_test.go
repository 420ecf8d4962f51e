package memlimit

import (
	"testing"
	"testing/fstest"
)

const (
	two = "25 30 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
	one = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
		"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)

func TestOf(t *testing.T) {
	for _, row := range []struct {
		name  string
		files map[string]string
		want  uint64 // 0 means none
	}{
		{"no such files", nil, 0},
		{"a container of its own", map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": two,
			"sys/fs/cgroup/memory.max": "268435456\n",
		}, 256 << 20},
		{"no bound", map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": two,
			"sys/fs/cgroup/memory.max": "max\n",
		}, 0},
		{"a group above is smaller", map[string]string{
			"proc/self/cgroup": "0::/kube/pod/flap\n", "proc/self/mountinfo": two,
			"sys/fs/cgroup/kube/pod/flap/memory.max": "max\n",
			"sys/fs/cgroup/kube/pod/memory.max":      "200000000\n",
			"sys/fs/cgroup/kube/memory.max":          "900000000\n",
		}, 200000000},
		{"its own is smaller", map[string]string{
			"proc/self/cgroup": "0::/kube/flap\n", "proc/self/mountinfo": two,
			"sys/fs/cgroup/kube/flap/memory.max": "100000000\n",
			"sys/fs/cgroup/kube/memory.max":      "900000000\n",
		}, 100000000},
		{"a service that is slowed down", map[string]string{
			"proc/self/cgroup": "0::/system.slice/catflap.service\n", "proc/self/mountinfo": two,
			"sys/fs/cgroup/system.slice/catflap.service/memory.max":  "max\n",
			"sys/fs/cgroup/system.slice/catflap.service/memory.high": "150000000\n",
		}, 150000000},
		{"a group outside of what is seen", map[string]string{
			"proc/self/cgroup": "0::/../../other\n", "proc/self/mountinfo": two,
			"sys/fs/cgroup/memory.max": "120000000\n",
		}, 120000000},
		{"version 1", map[string]string{
			"proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n", "proc/self/mountinfo": one,
			"sys/fs/cgroup/memory/memory.limit_in_bytes":     "9223372036854771712\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes":   "300000000\n",
			"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "9223372036854771712\n",
		}, 300000000},
		{"version 1 in a container", map[string]string{
			"proc/self/cgroup":                           "4:memory:/docker/abc\n",
			"proc/self/mountinfo":                        "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "400000000\n",
		}, 400000000},
		{"version 1 without a bound", map[string]string{
			"proc/self/cgroup": "4:memory:/\n", "proc/self/mountinfo": one,
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 0},
		{"what can't be read", map[string]string{
			"proc/self/cgroup": "nonsense\n0::/\n", "proc/self/mountinfo": "nonsense\n - \n" + two,
			"sys/fs/cgroup/memory.max": "-1\n",
		}, 0},
	} {
		system := fstest.MapFS{}
		for name, text := range row.files {
			system[name] = &fstest.MapFile{Data: []byte(text)}
		}
		got, ok := Of(system)
		if !ok {
			got = 0
		}
		if got != row.want || ok != (row.want > 0) {
			t.Errorf("%s: %d, %v instead of %d", row.name, got, ok, row.want)
		}
	}
}
