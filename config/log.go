package config

// Log is what is written to standard error.
type Log struct {
	// The form of a line.
	Format string `yaml:"format" default:"json" enum:"json,text"`
	// The least level of events.
	Level string `yaml:"level" default:"info" enum:"debug,info,warn,error"`
	// refusals: each refusal, sign-in, and opening and closing of a socket. all: each
	// allowed request too.
	Audit string `yaml:"audit" default:"refusals" enum:"refusals,all"`
}
