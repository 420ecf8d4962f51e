// Package soak has thousands of sockets open at once and for a while, with tabs
// that come and go, and a Cat that goes away and comes back.
//
// The rule it guards: nothing is lost silently, nothing is doubled, and nothing is
// left over. Each message carries a number and ends as an answer or as an error
// frame at a socket of its person; every open tab of a person hears the same answers
// in the same order; and the Cat gets no message twice.
package soak
