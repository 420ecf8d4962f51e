// Package mtls is the handler for people and programs with a client certificate.
//
// The rule it guards: nobody is somebody by a certificate that is not accepted at this
// moment, and nobody by one whose name could be read in two ways. The listener's files
// say which certificates count, for each request and again for each open socket. Whose a
// certificate is, one chosen kind of name says. A request that carries a credential is
// judged by that credential alone: a bad token never becomes the certificate's person.
package mtls
