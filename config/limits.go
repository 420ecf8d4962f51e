package config

import "github.com/catflap/catflap/config/value"

// Limits bounds what a client can take. A limit of 0 is refused unless the field
// says what 0 means.
type Limits struct {
	// The head of a request.
	HeaderBytes value.Size `yaml:"header_bytes" default:"32KiB"`
	// The number of header lines of a request.
	Headers int `yaml:"headers" default:"100"`
	// The time to send the head of a request; also how long what is left of a body that
	// is not forwarded may still hold its connection.
	HeaderTimeout value.Duration `yaml:"header_timeout" default:"5s"`
	// The body of a request that is no upload; 0 means any size.
	BodyBytes value.Size `yaml:"body_bytes" default:"16MiB"`
	// The body of an upload, which is a POST to /rabbithole/, /rabbithole/batch,
	// /rabbithole/memory or /plugins/upload; 0 means any size.
	UploadBytes value.Size `yaml:"upload_bytes" default:"512MiB"`
	// How long a body may stand still on its way. In all it may stand for as long, and
	// a second more for each 512 bytes that have come.
	BodyIdle value.Duration `yaml:"body_idle" default:"60s"`
	// How long an answer may stand still since its client takes nothing of it. A client
	// that reads slowly, and a stream in which nothing happens, are not cut.
	WriteIdle value.Duration `yaml:"write_idle" default:"60s"`
	// How long an idle connection is kept. Where places are short it goes earlier.
	Idle value.Duration `yaml:"idle" default:"120s"`
	// Connections in all.
	Connections int `yaml:"connections" default:"20000"`
	// Of these, connections that are no WebSockets. Each takes up to 55KiB of memory while
	// a long head stands, and about 23KiB without one. With tls each takes up to four times as
	// much, and counts as four. At the limit the longest idle one goes; where none is
	// idle, the next ones wait.
	HTTPConnections int `yaml:"http_connections" default:"3000"`
	// Of these, connections of one address (of IPv6: of one network of 64 bits), and never
	// more than half of them. With tls each counts as four. One more takes the place of the address's longest idle
	// one, or is closed at once. An address of trusted_proxies has no such limit.
	ConnectionsPerAddress int `yaml:"connections_per_address" default:"1000"`
	// Requests of one person under way at once, event streams included, WebSockets not.
	// One more is answered with 429.
	RequestsPerPerson int `yaml:"requests_per_person" default:"100"`
	// Requests under way at once of one address, as above or as named by a front proxy,
	// while nobody is known: at public endpoints, at Catflap's own pages, and until a
	// person is known; and of all the people together that one API key acts for. One more is
	// answered with 429.
	RequestsPerAddress int `yaml:"requests_per_address" default:"250"`
	// Signatures computed at once; 0 means one less than the processors, at least one.
	Verifications int `yaml:"verifications" default:"0"`
	// Tokens remembered after their verification, of each handler.
	CachedTokens int `yaml:"cached_tokens" default:"20000"`
	// How long requests and sockets may take to end after a stop is asked for.
	StopGrace value.Duration `yaml:"stop_grace" default:"20s"`
}
