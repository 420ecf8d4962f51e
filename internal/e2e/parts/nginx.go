package parts

// nginx is the front proxy that most people have, with the few modules that the
// tests configure.
func nginx() program {
	return program{
		name: "nginx", packages: []string{"nginx-light"}, path: "usr/sbin/nginx",
		ask: "-v", says: "nginx/1.22.", series: "1.22.x",
	}
}

// Nginx is the nginx server, and what it needs in its environment beside what is
// there. The error wraps ErrMissing or says what the machine lacks.
func (p Parts) Nginx() (binary string, env []string, err error) { return p.binary(nginx()) }
