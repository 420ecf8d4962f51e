// Package telemetry is what an operator sees: the log, the audit lines, the
// metrics.
//
// The rule it guards: nothing that could open a door is ever written. A record of
// the proxy holds no credential, no query and no header; labels of metrics are of
// small fixed sets, never of a stranger's making; and a line is always one line,
// whatever a stranger put into it.
package telemetry
