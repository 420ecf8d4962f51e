// Package issuer is a token issuer for tests and demonstrations: it makes keys of
// every algorithm, signs whatever it is told to, and serves its key set from a
// loopback address that can be made to fail in each way that real ones do.
//
// The rule it guards: a test of a verifier needs a signer that lies. No real
// provider signs an expired token, puts a foreign key id into a header or writes a
// claim twice; this one does, and nothing of it belongs before real people.
//
// It imports no testing package, so that a demonstration may use it too; tests use
// it through package authtest.
package issuer
