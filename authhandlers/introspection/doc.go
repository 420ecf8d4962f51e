// Package introspection takes opaque bearer tokens: it asks their issuer what they are
// worth (OAuth 2.0 Token Introspection, RFC 7662).
//
// The rule it guards: a token is somebody's only while its issuer says, in an answer that
// holds in every part, that the token is active, of this issuer, and meant for Catflap. An
// answer counts for a short time, and never beyond the token's end. What is no answer is a
// fault, and neither access nor a refusal.
//
// The handler takes each bearer token that reaches it, so it is the last one that takes
// bearer tokens. Signed tokens are for handlers that verify them; they are asked about only
// where that is configured, and only those that name this issuer.
package introspection
