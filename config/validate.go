package config

// validator holds the rules that go beyond the form of single fields. They are
// pure: a rule looks at the configuration and at what the build knows, never at a
// file, a variable or the network.
type validator struct {
	c        *Config
	known    Known
	unread   func(field string) bool
	problems []Problem
	warnings []Problem
}

func newValidator(c *Config, d *decoder, known Known) *validator {
	return &validator{c: c, known: known, unread: d.unread}
}

// bad keeps a problem, unless the field could not be read anyhow.
func (v *validator) bad(field, message, hint string) {
	if !v.unread(field) {
		v.problems = append(v.problems, v.c.places.problem(field, message, hint))
	}
}

func (v *validator) doubt(field, message, hint string) {
	v.warnings = append(v.warnings, v.c.places.problem(field, message, hint))
}

func (v *validator) all() {
	v.listeners()
	v.publicURL()
	v.hsts()
	v.trustedProxies()
	v.origins()
	v.cat()
	v.handlers()
	v.carriers()
	v.samePeople()
	v.clientCertificates()
	v.permissions()
	v.grants()
	v.endpoints()
	v.signIn()
	v.guests()
	v.sessions()
	v.pages()
	v.websocket()
	v.limits()
}

// warn looks for what is allowed and may not be meant. The configuration is valid.
func (v *validator) warn() {
	v.warnExposure()
	v.warnInsecure()
	v.warnPermissions()
	v.warnEndpoints()
	v.warnHidden()
	v.warnSettings()
	v.warnSignIn()
	v.warnGuests()
	v.warnSessions()
	v.warnAttributes()
	if v.c.WebSocket.Session == "separate" && v.c.places.has("websocket.linger") {
		v.doubt("websocket.linger", "has no effect with session: separate", "remove it, or write session: shared")
	}
}
