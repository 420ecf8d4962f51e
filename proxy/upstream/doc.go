// Package upstream is the way to the Cat, or to several of them.
//
// The rule it guards: everything of a person's goes to one Cat, the one where their
// memories are, as long as that can be asked; and nothing that one person's connection has
// carried is followed by another's request.
//
// A Pool is one Cat or several. It picks a person's by the highest random weight
// (rendezvous.go), lets those who have a socket open stay where they are (sticky.go), and
// leaves out a Cat that is down (health.go) or open to strangers. A Client is the way to
// one Cat: its transport (transport.go) keeps connections for each person and gives them
// up before the Cat does.
//
// Goroutines: Pool.Run has two for each Cat that is watched, which look after it; the
// transport sweeps idle connections by a timer. Locks: that of health, of the
// seats and of the kept connections are each taken alone.
package upstream
