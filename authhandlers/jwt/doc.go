// Package jwt takes bearer tokens that an issuer has signed for us: JSON Web
// Tokens in compact form (RFC 7515, RFC 7519), as access tokens (RFC 9068) or,
// where that is configured, as ID tokens (OpenID Connect Core §2).
//
// The rule it guards: nothing that a token says is believed before a key of its
// issuer has verified it, with an algorithm that the configuration allows (RFC
// 8725 §3.1). Before that, what it says may only refuse it, or hand it to another
// handler. So the cheap questions are asked first: the form, the issuer, the
// algorithm, the audience, the times. Only a token that would be accepted costs a
// signature, and of those not too many at once.
//
// A token of another issuer, and a text that is no JWT, is another handler's
// (authhandlers.ErrNoCredential). Everything else that is wrong ends the chain.
//
// What a token was found to be is remembered (internal/tokencache) as long as it
// is valid and its key is in the issuer's set.
//
// Package oidc builds upon this one: New makes the handler with rules of its own, and
// a Reader verifies what else an issuer signs.
package jwt
