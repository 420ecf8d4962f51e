// Package permission decides who may do what at the Cat.
//
// The rule it guards: what nobody granted is refused, a deny beats every grant,
// and "base" never reaches beyond the caller's own data. Groups, claims and
// actions are compared exactly; a grant holds for the people of the handlers in
// its from and for nobody else's. Every decision has the rule that made it and a
// reason, for the audit log.
package permission
