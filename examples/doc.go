// Package examples holds the tests of the examples; the examples are the folders
// beside it.
//
// The rule it guards: what people copy works. Each configuration here is run with
// the command and the environment that its example has, by the binary that the
// Dockerfile's own command builds, and a person's token gets through it.
package examples
