// Package required names what somebody has left out.
//
// The rule it guards: who puts something together is told of all parts that are missing, by
// their names, and at once.
package required

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// Parts returns an error that names, of what is put together, the parts that are not there;
// nil where all are.
func Parts(of string, there map[string]bool) error {
	there = maps.Clone(there)
	maps.DeleteFunc(there, func(_ string, is bool) bool { return is })
	if len(there) == 0 {
		return nil
	}
	return errors.New(of + " has no " + strings.Join(slices.Sorted(maps.Keys(there)), ", "))
}
