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
// and a file. One line end at the end of either is not part of the secret. The zero
// Secret names none.
type Secret struct {
	// Env is the name of an environment variable that holds the secret.
	Env string `yaml:"env"`
	// File is a file that holds the secret.
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
// wrong with it (unset, empty, unreadable, too large, or [ErrUnfit]), never the content.
func (s Secret) Read() ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	b, err := s.content()
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	b = bytes.TrimSuffix(b, []byte("\r"))
	if len(b) == 0 {
		return nil, fmt.Errorf("%s is empty", s.place())
	}
	if problem := unfit(b); problem != "" {
		return nil, &unfitError{s.place() + ": " + problem}
	}
	return b, nil
}

// place is the variable or the file, for people.
func (s Secret) place() string {
	if s.Env != "" {
		return "environment variable " + s.Env
	}
	return "secret file " + string(s.File)
}

func (s Secret) content() ([]byte, error) {
	switch {
	case s.Env != "":
		v, ok := os.LookupEnv(s.Env)
		if !ok {
			return nil, fmt.Errorf("environment variable %s is not set", s.Env)
		}
		return []byte(v), nil
	case s.File != "":
		return ReadFile(string(s.File), MaxSecretBytes)
	}
	return nil, errors.New("no secret is named")
}
