// Package inquiry asks a service about the credentials of strangers, and remembers its
// answers for a short time.
//
// The rule it guards: an answer is used for exactly the credential that it is about, and
// an end of access is noticed within a set time, wherever the access is in use. A fault of
// the service is never an answer.
//
// Nobody can use up what is there for others. Each address has a share of the questions
// about credentials that are not known, and of the memory for refused ones. Questions
// about people who are in have turns of their own, which strangers do not wait for.
//
// Answers are found by a keyed hash of the credential. The credential itself is kept only
// for people with something open, encrypted, since the service must be asked about them
// again.
//
// The lock of a Desk is held for single steps, never while the service is asked.
package inquiry
