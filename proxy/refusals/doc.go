// Package refusals is the table of all refusals: the code of each, with which status it is
// answered, what it means and what the operator does.
//
// The rule it guards: one code, one meaning, one home. Who refuses takes a code of this
// package, or of authhandlers, which knows of no other package and has those that handlers
// refuse a credential with. docs/operations.md and the counters that begin at zero are made
// from the table, and tests hold it to the source: no code stands anywhere else, and none
// is there that nobody answers with.
//
// Handlers that somebody has added may have codes of their own, which are not here.
package refusals
