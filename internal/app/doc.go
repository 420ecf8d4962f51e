// Package app puts the parts together and runs them: configuration to handlers,
// listeners, reload, readiness, and a stop that loses nothing.
//
// The rule it guards: what runs is one whole, validated configuration. A reload
// makes everything new, beside what runs, and only then takes its place; when
// anything is wrong with it, the last good one stays in force and says so. Live
// sockets stay through a reload and are judged by the new rules.
package app
