package proxy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/catflap/catflap/proxy/cat"
)

// keepPersonal keeps an answer that is for one person out of shared caches, and apart
// for each credential in a browser's own. It never takes back what the Cat forbids.
func keepPersonal(h http.Header, carriers string) {
	if len(h["Cache-Control"])+len(h["Vary"]) == 0 {
		both := []string{"private", carriers} // one allocation for two
		h["Cache-Control"], h["Vary"] = both[0:1:1], both[1:2:2]
		return
	}
	if lines := h["Cache-Control"]; !keptByNobody(lines) {
		h["Cache-Control"] = []string{private(lines)}
	}
	vary(h, carriers)
}

// usualCarriers are the headers by which somebody comes with a credential.
const usualCarriers = "Authorization, " + cat.TokenHeader + ", Cookie"

// keptByNobody reports a Cache-Control that forbids every cache to keep the answer.
// must-understand would let some of them (RFC 9111 §5.2.2.3).
func keptByNobody(lines []string) bool {
	list, ok := directives(lines)
	return ok && slices.Contains(list, "no-store") && !slices.ContainsFunc(list, func(d string) bool { return strings.HasPrefix(d, "must-understand") })
}

// private is the Cache-Control with all that it forbids, for nobody but the browser.
// One that can't be read is replaced by the strictest.
func private(lines []string) string {
	if len(lines) == 0 {
		return "private"
	}
	list, ok := directives(lines)
	if !ok {
		return "private, no-store"
	}
	kept := []string{"private"}
	for _, d := range list {
		switch name, _, _ := strings.Cut(d, "="); strings.TrimSpace(name) {
		case "public", "private", "s-maxage", "must-understand":
		default:
			kept = append(kept, d)
		}
	}
	return strings.Join(kept, ", ")
}

// directives are those of a Cache-Control in lower case; false means that a quoted
// text has no end.
func directives(lines []string) (list []string, ok bool) {
	for _, line := range lines {
		start, quoted := 0, false
		for i := 0; i <= len(line); i++ {
			switch {
			case i == len(line) || line[i] == ',' && !quoted:
				if d := strings.ToLower(strings.Trim(line[start:i], " \t")); d != "" {
					list = append(list, d)
				}
				start = i + 1
			case line[i] == '"':
				quoted = !quoted
			case line[i] == '\\' && quoted:
				i++
			}
		}
		if quoted {
			return nil, false
		}
	}
	return list, true
}

// vary adds the carriers to what the answer depends on. A * says more already.
func vary(h http.Header, carriers string) {
	lines := h["Vary"]
	if len(lines) == 0 {
		h["Vary"] = []string{carriers}
		return
	}
	var there []string
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			there = append(there, strings.ToLower(strings.TrimSpace(name)))
		}
	}
	if slices.Contains(there, "*") {
		return
	}
	var missing []string
	for name := range strings.SplitSeq(carriers, ", ") {
		if !slices.Contains(there, strings.ToLower(name)) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		h["Vary"] = append(lines, strings.Join(missing, ", "))
	}
}
