// Package requestid makes the id that stands in an answer and in the log.
//
// The rule it guards: each answer of Catflap's own can be found in the log, and its id
// says nothing else: it is random, and a client's own is never taken for it.
//
// It keeps nothing, starts no goroutine and holds no lock.
package requestid

import "crypto/rand"

// New makes an id of 16 characters, A to Z and 2 to 7: 80 random bits.
func New() string { return rand.Text()[:16] }
