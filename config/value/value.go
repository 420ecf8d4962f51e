// Package value holds the types that a field of the configuration may have
// beyond plain text, numbers and lists: a secret, a path, a duration, a size, names.
//
// The rule it guards: a secret is never a value of the configuration file. It is
// named there, by an environment variable or a file, read when it is needed, and
// prints as its name wherever it is printed.
//
// The package imports nothing of ours, so that the handlers of other people can
// use it for their own configuration.
package value
