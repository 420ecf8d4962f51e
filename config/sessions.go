package config

import "github.com/catflap/catflap/config/value"

// Sessions says how long people who have signed in in a browser stay signed in,
// and where that is kept. The browser holds a random id and nothing else. It
// matters where a handler signs people in; store: redis matters without, too.
type Sessions struct {
	// memory: in this process; a restart signs everybody out. redis: in Redis or
	// Valkey, so that sessions outlive a restart and several Catflaps share them, and
	// each person's socket at the Cat.
	Store string `yaml:"store" default:"memory" enum:"memory,redis"`
	// Where Redis is. Required with store: redis.
	Redis *Redis `yaml:"redis" example:"{url: \"redis://127.0.0.1:6379/0\", password: {env: REDIS_PASSWORD}}"`
	// They encrypt what is at rest: the first seals, all open, so that a new one is put
	// in front and the old one stays for a lifetime. At least 32 bytes each. Required
	// with store: redis, and the same in every Catflap that shares it. Without them
	// store: memory makes one at each start. Guests' cookies are signed with them, too.
	Keys []value.Secret `yaml:"keys" example:"[{env: CATFLAP_SESSION_KEY}]"`
	// How long a session lasts that nobody uses: from 1m to 2160h, and not longer than
	// lifetime.
	Idle value.Duration `yaml:"idle" default:"8h"`
	// How long a session lasts at most, however much it is used: from 1m to 2160h (90
	// days).
	Lifetime value.Duration `yaml:"lifetime" default:"24h"`
	// Sessions in all, with store: memory.
	Max int `yaml:"max" default:"100000"`
	// Sessions of one person, in all their browsers: the oldest makes room for another.
	// With store: memory one person never has more than a quarter of max.
	MaxPerUser int `yaml:"max_per_user" default:"50"`
	// The path of our own origin to which people are sent when they have signed out.
	// Without it they see our own page that says so.
	AfterLogout string `yaml:"after_logout" example:"/goodbye"`
}

// Redis is the Redis or Valkey server that keeps the sessions.
type Redis struct {
	// Its address: redis://host, or rediss:// for TLS; then :port and /database where
	// they are not 6379 and 0. User name and password stand beside it.
	URL string `yaml:"url" required:"true" example:"redis://127.0.0.1:6379/0"`
	// The user name, where Redis has users (its ACL). Needs a password.
	Username string `yaml:"username" example:"catflap"`
	// The password.
	Password value.Secret `yaml:"password" example:"{env: REDIS_PASSWORD}"`
	// What TLS needs beyond the certificates that this machine trusts. With rediss://.
	TLS *RedisTLS `yaml:"tls" example:"{ca_file: redis-ca.pem}"`
}

// RedisTLS names the files for TLS to Redis.
type RedisTLS struct {
	// The certificates that Redis's own must come from, PEM, instead of those that
	// this machine trusts.
	CAFile value.Path `yaml:"ca_file" example:"redis-ca.pem"`
	// The certificate by which Catflap proves itself, PEM. Needs key_file.
	CertFile value.Path `yaml:"cert_file" example:"redis.crt"`
	// Its private key, PEM.
	KeyFile value.Path `yaml:"key_file" example:"redis.key"`
}
