package value

import "strings"

// Names is one name or several: in a configuration file a text, or a list of texts. Here
// each stands in a line of its own, so that one name is just itself.
type Names string

// All returns each of the names.
func (n Names) All() []string {
	if n == "" {
		return nil
	}
	return strings.Split(string(n), "\n")
}
