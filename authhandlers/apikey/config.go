package apikey

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/keyfile"
)

// Config is a handler for the API keys of one file.
type Config struct {
	// The file with the keys' hashes, owners, permissions and ends. `catflap key new
	// --file keys.yaml --owner NAME` makes a key, and the file. It is read again when it
	// changes. One that is not there, or is empty, holds no keys.
	KeysFile value.Path `yaml:"keys_file" required:"true" example:"keys.yaml"`
}

// NewConfig returns an empty configuration.
func NewConfig() *Config { return &Config{} }

// Validate implements authhandlers.Config.
func (c *Config) Validate() error {
	if c.KeysFile == "" {
		return &authhandlers.FieldError{Field: "keys_file", Problem: "required", Hint: "name a file; catflap key new --file keys.yaml --owner NAME makes it"}
	}
	return nil
}

// YieldsGroups says that no key has groups: its permissions stand with it.
func (c *Config) YieldsGroups() bool { return false }

// NeedsTickets says that servers which act for others need tickets for sockets.
func (c *Config) NeedsTickets() bool { return true }

// OnlyOne says that no second handler of the type ever sees a key.
func (c *Config) OnlyOne() bool { return true }

// OwnPermissions says that each key has its permissions in the file.
func (c *Config) OwnPermissions() string { return "each key has permissions of its own in keys_file" }

// TakesBearers implements authhandlers.BearerTaker.
func (c *Config) TakesBearers() bool { return true }

// TakesAllBearers implements authhandlers.BearerTaker.
func (c *Config) TakesAllBearers() bool { return false }

// Events are the names of the events that a handler of this type counts.
func (c *Config) Events() []string {
	return []string{eventChanged, eventUnusable, eventUnknown}
}

const fileHint = "mend it, or put the last good one back; catflap key list --file shows what can be read"

// Inspect reports a file that can't be used.
func (c *Config) Inspect() error {
	if _, err := keyfile.Read(string(c.KeysFile)); err != nil {
		return &authhandlers.FieldError{Field: "keys_file", Problem: err.Error(), Hint: fileHint}
	}
	return nil
}

// InspectDoubts warns of a file that is not there or holds nothing, and of one that
// others can read.
func (c *Config) InspectDoubts() error {
	doubt := func(problem, hint string) error {
		return &authhandlers.FieldError{Field: "keys_file", Problem: problem, Hint: hint}
	}
	path := string(c.KeysFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return doubt(path+" is not there, so that there are no keys", "catflap key new --file "+path+" --owner NAME makes one")
	}
	var doubts []error
	if f, err := keyfile.Read(path); err == nil && len(f.Keys) == 0 {
		doubts = append(doubts, doubt(path+" holds no keys", "catflap key new --file "+path+" --owner NAME makes one"))
	}
	const others = 0o007
	if err == nil && info.Mode().Perm()&others != 0 && runtime.GOOS != "windows" { // where the bits are made up
		doubts = append(doubts, doubt(fmt.Sprintf("other users can read or change %s (mode %04o)", path, info.Mode().Perm()), "chmod 600, and give it to catflap's own user"))
	}
	return errors.Join(doubts...)
}

// ListKeys implements authhandlers.KeyLister.
func (c *Config) ListKeys(each func(id, alias string, permissions []string)) error {
	f, err := keyfile.Read(string(c.KeysFile))
	if err != nil {
		return err
	}
	for _, e := range f.Keys {
		if e.Revoked.IsZero() {
			each(e.ID, e.ActsFor, e.Permissions)
		}
	}
	return nil
}

// Open makes the handler.
func (c *Config) Open(_ context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return open(string(c.KeysFile), env)
}

var (
	_ authhandlers.Config         = (*Config)(nil)
	_ authhandlers.Grouper        = (*Config)(nil)
	_ authhandlers.Inspector      = (*Config)(nil)
	_ authhandlers.InspectDoubter = (*Config)(nil)
	_ authhandlers.KeyLister      = (*Config)(nil)
	_ authhandlers.Ticketer       = (*Config)(nil)
)
