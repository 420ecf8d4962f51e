package parts

// promtool tests the alarms that the documentation recommends.
func promtool() program {
	return program{
		name: "promtool", packages: []string{"prometheus"}, path: "usr/bin/promtool",
		ask: "--version", says: "version 2.42.", series: "2.42.x",
	}
}

// Promtool is Prometheus's tool for rules, and what it needs in its environment
// beside what is there. The error wraps ErrMissing or says what the machine lacks.
func (p Parts) Promtool() (binary string, env []string, err error) { return p.binary(promtool()) }
