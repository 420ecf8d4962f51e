// Package licences holds the licence texts of what is built into the binary.
//
// The rule it guards: who is given the binary or the image is given the texts that
// its parts ask for. They are made by generate, and a test holds them to the build.
package licences
