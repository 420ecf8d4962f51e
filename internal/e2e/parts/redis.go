package parts

// redis is the server by the name that makes it one: the file is a link.
func redis() program {
	return program{
		name: "redis", packages: []string{"redis-server", "redis-tools"}, path: "usr/bin/redis-server",
		ask: "--version", says: "v=7.0.", series: "7.0.x",
	}
}

// Redis is the Redis server, and what it needs in its environment beside what is
// there. The error wraps ErrMissing or says what the machine lacks.
func (p Parts) Redis() (binary string, env []string, err error) { return p.binary(redis()) }

// Redis is Parts.Redis of the repository around the working directory.
func Redis() (binary string, env []string, err error) {
	p, err := Here()
	if err != nil {
		return "", nil, err
	}
	return p.Redis()
}
