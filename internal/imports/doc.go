// Package imports holds the house's own rules, as tests: which package may import which,
// names only the Cat's contract may spell, and what no package does.
//
// The rule it guards: a part that decides about security can be read by itself.
// The proxy knows no concrete handler, a handler knows no proxy, the configuration
// knows neither, and what the Cat believes is written in proxy/cat alone. A new
// package needs a line in the table here, and so a decision.
package imports
