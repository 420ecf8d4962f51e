// Package lock is a mutex whose place in the order of locks can be checked.
//
// The rule it guards: two goroutines never wait for each other's locks. A package that
// has several locks writes their order in its doc comment, and a test holds the code to
// it. [Of] is a [sync.Mutex], with no cost, unless the program is built with the tag
// lockorder: then each Lock notes which locks its goroutine holds, and [Check] compares
// that with the order. `make test` builds the tests so.
package lock
