// Package catuser lets in the Cat's own users: with the token that the Cat gives them,
// and by their name and password.
//
// The rule it guards: a token says only which of the Cat's users it is. What they may
// do, and whether there still is such a user, the Cat's list of users says, which is
// never older than ten seconds. Where the list can't be had, nobody is let in, and what
// is open ends. A token of the Cat's has no iss: what names an issuer is another
// handler's, and so are the tokens that Catflap itself mints with the same secret.
//
// A name that nobody has costs the Cat the same as one that somebody has: it is asked
// for somebody else's password then, and the answer is the same.
package catuser
