// Package cat is the Cheshire Cat's wire contract: its endpoints and the
// permission that each needs, how an identity and a credential are written for
// it, and how one finds out whether it is closed to strangers.
//
// The rule it guards: what the Cat believes is written here and nowhere else. No
// other package spells the header user_id, the path /ws/, the legacy header
// access_token or a name that begins with CCAT_, and a test holds that. Each
// request that leaves carries exactly one user_id, spelt so ([CheckIdentity]).
//
// Everything was measured at the real Cat, version 1.9.2; package cattest holds
// the measurements as a test suite.
package cat
