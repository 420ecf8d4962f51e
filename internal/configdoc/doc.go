// Package configdoc makes docs/configuration.md and config/schema.json from the
// Go types of the configuration, their tags and their comments.
//
// The rule it guards: the documentation says what the program does. Nobody
// writes it twice; a test fails as soon as a checked-in file is not what the
// types say.
package configdoc
