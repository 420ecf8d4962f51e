// Package attributes tells the Cat's plugins who somebody is, so that they can believe it.
//
// The rule it guards: what a plugin reads of a person is signed here, about that person
// alone, and short-lived; nothing that a client writes under the same name gets through.
// A token (JWT, EdDSA) stands in a header of each request and under a key of each message.
// It is bounded: a list that is too long for it is left out and named, so that a plugin
// knows that it does not know.
//
// Signer makes the tokens, Keys sign and are published, Rewrite and Reader put a token into
// a message in place of a client's own.
package attributes
