// Package keyset holds the keys of one issuer and verifies signatures with them.
//
// The rule it guards: only the issuer's own, present keys verify, each with the
// one algorithm that it is for, and nobody outside can make us fetch them more
// often than we want. A token names a key (kid) but never brings one: jwk, jku,
// x5u and x5c of its header are not read (RFC 8725 §3.10). A public key is never
// an HMAC secret (RFC 8725 §2.1). A key that the issuer has withdrawn is gone with
// the next fetch, also for a caller that remembers what it verified ([Key.Current]).
//
// Keys come from a key set document at an address ([OpenURL]) or in a file
// ([OpenFile]), from PEM ([OpenPEM]), or are a shared secret ([OpenSecret]).
// Whatever fails later keeps the last good keys: those of a file without an end, those
// of an address up to a stated age.
//
// A Set is also the key set that OpenID Connect clients ask for: see
// [Set.VerifySignature].
package keyset
