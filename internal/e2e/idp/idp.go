// Package idp holds what the identity providers of the end-to-end tests serve: the
// realm of Keycloak, and server.mjs, which is a certified provider with test
// controls. Both know the same people.
//
// The rule it guards: everybody and every secret in it exists for tests, and no
// test depends on an account that somebody else keeps.
package idp

import _ "embed" // the realm

// Realm is what Keycloak imports, as JSON: the realm cat with the people alice, bob,
// carol (in no group) and dave (disabled), each with the name and -pw as password.
//
//go:embed realm.json
var Realm []byte
