// Package anonymous takes in guests: people that nobody knows, who get an id of their
// own for as long as their browser keeps a cookie.
//
// The rule it guards: a guest is never anybody else. Each has an id of 128 random bits
// that no other guest and nobody of another handler has; a cookie that was not made
// here, or was changed, is nobody's; and a request that carries any credential is no
// guest's, whatever cookie comes with it.
//
// The Cat keeps the conversations of about a hundred people, and a new one pushes out
// the oldest. So a guest needs a place, of which there are few, and each network has a
// share of them ([book]). A place is taken when the cookie comes back for the first
// time: a client that keeps no cookies never reaches the Cat.
package anonymous
