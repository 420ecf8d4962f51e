// Package session keeps the sessions of people who have signed in in a browser.
//
// The rule it guards: a browser holds an opaque id and nothing else; what the id
// means is known here alone, belongs to exactly one issuer and subject, and once it
// has ended nothing brings it back. A refresh token is spent by one caller at a
// time, and its successor is stored before anybody uses what came with it. One who
// reads the store learns neither a name nor a token, and can make no cookie of it:
// keys are hashes, content is sealed, and each sealed text opens in its own place
// only.
//
// [Memory] and [Redis] are the two stores; package sessiontest holds what each must
// do. [Manager] is everything else.
package session
