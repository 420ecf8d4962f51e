// Package memlimit says how much memory the system gives to this process.
//
// The rule it guards: the smallest bound of all control groups above the process counts,
// as it does for the kernel. Without one there is no answer, and nothing is guessed.
//
// It reads a few files, which takes less than a library's dependencies would, and tests
// give it a tree of their own.
package memlimit

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// mount is one hierarchy of control groups that bounds memory.
type mount struct {
	at     string   // where its files are
	root   string   // the group that is shown there
	group  string   // the process's own group
	bounds []string // the files that hold a bound
}

// endless is what version 1 has for no bound, and more.
const endless = 1 << 60

// Of returns the bytes that the process may use, by the files of the system's root. False
// means that there is no bound, or that none can be read.
func Of(system fs.FS) (uint64, bool) {
	least := uint64(endless)
	for _, m := range mounts(system) {
		for dir := m.dir(); ; dir = path.Dir(dir) {
			for _, name := range m.bounds {
				least = min(least, bound(system, path.Join(dir, name)))
			}
			if dir == m.at || dir == "." || dir == "/" {
				break
			}
		}
	}
	if least == endless {
		return 0, false
	}
	return least, true
}

// dir is the folder of the process's group. A group outside of what is mounted is that of
// a container, which sees its own as the root.
func (m mount) dir() string {
	rest := path.Clean("/" + m.group)
	if m.root != "/" {
		inside, ok := strings.CutPrefix(rest, m.root)
		if !ok || inside != "" && inside[0] != '/' {
			inside = ""
		}
		rest = inside
	}
	return path.Join(m.at, rest)
}

// bound reads one bound; what is none is endless.
func bound(system fs.FS, name string) uint64 {
	text, err := fs.ReadFile(system, strings.TrimPrefix(name, "/"))
	if err != nil {
		return endless
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n == 0 {
		return endless
	}
	return min(n, endless)
}

// mounts finds the hierarchies of this process (proc(5), cgroups(7)).
func mounts(system fs.FS) []mount {
	one, two := groups(system)
	table, err := fs.ReadFile(system, "proc/self/mountinfo")
	if err != nil {
		return nil
	}
	var list []mount
	for line := range strings.Lines(string(table)) {
		before, after, _ := strings.Cut(line, " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if len(place) < 5 || len(kind) < 3 {
			continue
		}
		m := mount{at: strings.ReplaceAll(place[4], `\040`, " "), root: path.Clean(place[3])}
		switch {
		case kind[0] == "cgroup2" && two != "":
			m.group, m.bounds = two, []string{"memory.max", "memory.high"}
		case kind[0] == "cgroup" && one != "" && has(kind[2], "memory"):
			m.group, m.bounds = one, []string{"memory.limit_in_bytes"}
		default:
			continue
		}
		list = append(list, m)
	}
	return list
}

// groups returns the process's groups of the two versions, where it has them.
func groups(system fs.FS) (one, two string) {
	text, _ := fs.ReadFile(system, "proc/self/cgroup") // without it there are none
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		switch {
		case len(parts) < 3:
		case parts[0] == "0" && parts[1] == "":
			two = parts[2]
		case has(parts[1], "memory"):
			one = parts[2]
		}
	}
	return one, two
}

func has(list, name string) bool { return strings.Contains(","+list+",", ","+name+",") }
