//go:build !lockorder

package lock

import "sync"

// Of is a mutex of T, which names it in the order.
type Of[T any] = sync.Mutex

// Check compares the locks that were held together with an order of their names, the
// first to be taken first. Without the tag lockorder nothing is known, and nothing wrong.
func Check([]string) []string { return nil }
