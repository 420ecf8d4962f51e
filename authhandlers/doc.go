// Package authhandlers says what an authentication handler is, and asks the
// configured ones in their order.
//
// The rule it guards: a request is somebody only when one handler has verified
// its credential, and then it is exactly the person that the issuer and the
// subject name. "Not mine" ([ErrNoCredential]) and "mine, and refused"
// ([Rejection]) are two different answers: a refusal ends the chain, and neither
// ever turns into a guest. The user id towards the Cat is computed here alone
// ([UserID]), from the alias and the subject; whatever a handler wrote there is
// overwritten.
//
// The package holds no handler and imports nothing else of Catflap, so that a
// handler of one's own needs only this package (and config/value for the types of
// its settings); docs/writing-an-authhandler.md shows one.
package authhandlers
