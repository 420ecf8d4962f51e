package value

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
)

// MaxSecretBytes bounds a secret's file, so that a wrong path (a log, a device)
// fails instead of filling the memory.
const MaxSecretBytes = 64 << 10

// Secret names where a secret is kept: exactly one of an environment variable
// and a file. The zero Secret names none.
type Secret struct {
	// Env is the name of an environment variable that holds the secret.
	Env string `yaml:"env"`
	// File is a file that holds the secret; one line end at its end is not part of it.
	File Path `yaml:"file"`
}

// IsZero reports whether s names no secret.
func (s Secret) IsZero() bool { return s.Env == "" && s.File == "" }

// Validate reports a Secret that names both places.
func (s Secret) Validate() error {
	if s.Env != "" && s.File != "" {
		return errors.New("both env and file are given; name one")
	}
	return nil
}

// String names the secret's place, never the secret.
func (s Secret) String() string {
	switch {
	case s.Env != "":
		return "{env: " + s.Env + "}"
	case s.File != "":
		return "{file: " + string(s.File) + "}"
	}
	return "{}"
}

// LogValue keeps structured logs to the secret's name.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Read returns the secret. The error names the variable or the file and what is
// wrong with it (unset, empty, unreadable, too large), never the content.
func (s Secret) Read() ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	switch {
	case s.Env != "":
		v, ok := os.LookupEnv(s.Env)
		if !ok {
			return nil, fmt.Errorf("environment variable %s is not set", s.Env)
		}
		if v == "" {
			return nil, fmt.Errorf("environment variable %s is empty", s.Env)
		}
		return []byte(v), nil
	case s.File != "":
		return s.readFile()
	}
	return nil, errors.New("no secret is named")
}

func (s Secret) readFile() ([]byte, error) {
	b, err := ReadFile(string(s.File), MaxSecretBytes)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	b = bytes.TrimSuffix(b, []byte("\r"))
	if len(b) == 0 {
		return nil, fmt.Errorf("secret file %s is empty", s.File)
	}
	return b, nil
}
