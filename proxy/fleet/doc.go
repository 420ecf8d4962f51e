// Package fleet lets several Catflaps before the same Cats know, through a Redis, who
// of them has whose socket there, and carries what they say to each other.
//
// The rule it guards: a person's socket is claimed by one process at a time. A process
// that can't tell that its claims still stand gives them up before anybody else can
// have them. What one says to another comes in order and once, or both are told that
// something may be missing; and who reads Redis learns nobody's name and no word.
package fleet
