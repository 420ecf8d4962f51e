// Package oidc is the handler for an OpenID provider: people sign in there in the
// browser (OpenID Connect Core §3.1), and what the provider signs for programs is
// taken as bearer tokens.
//
// The rule it guards: of whatever a browser brings back, and of whatever the
// provider answers, nothing is believed that the provider's keys, the attempt and
// this client have not vouched for together. So a login is the code flow with PKCE,
// state and nonce, and nothing else; the ID token is verified like any token of a
// stranger, although it came from the provider itself; and an answer of another
// provider, an old one, or one for another client ends the attempt. A provider that
// can't be asked is a fault (503), never a guess.
//
// Where the provider is and where its keys are, it says itself (OpenID Connect
// Discovery): the document is fetched in the background, and the last good one is
// kept. Bearer tokens are judged by package jwt, with the same keys.
//
// The handler keeps nothing of a login. Cookies, sessions, and that an answer is used
// once, are the proxy's: see authhandlers.LoginProvider.
package oidc
