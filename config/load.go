package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/catflap/catflap/config/value"
)

// Known is what a configuration may name and this package can't know by itself.
type Known struct {
	// Handlers are the handler types of this build.
	Handlers HandlerTypes
	// Permissions are all permissions by name: RESOURCE:ACTION, RESOURCE:* and *.
	Permissions []string
	// Base are the permissions of the Cat's base set.
	Base []string
	// RefuseAttribute says why a claim is never told to plugins; empty: it may be.
	RefuseAttribute func(name string) string
	// RefuseRequestHeader says why a header never reaches the Cat; empty: it may.
	RefuseRequestHeader func(name string) string
	// RefuseAnswerHeader says why a header of the Cat's never reaches a client; empty:
	// it may.
	RefuseAnswerHeader func(name string) string
	// RefuseCarrierHeader says why no handler may take a credential from a header; empty:
	// it may. RefuseCarrierCookie is the same for a cookie.
	RefuseCarrierHeader, RefuseCarrierCookie func(name string) string
	// SameName reports two names that a server may take for one.
	SameName func(a, b string) bool
	// DefaultSecret reports a secret of the Cat's that everybody knows. Without it
	// there is none.
	DefaultSecret func(secret []byte) bool
}

// Load reads the file at path and validates it. The error is an *[Errors] with
// everything that is wrong; a file that can't be read is one of these.
func Load(path string, known Known) (*Config, error) {
	data, err := value.ReadFile(path, maxFileBytes)
	if err != nil {
		p := Problem{File: path, Message: err.Error()}
		if at, ok := errors.AsType[*fs.PathError](err); ok {
			p.Message = at.Err.Error() // the path is said already
		}
		return nil, asError([]Problem{p})
	}
	return Parse(path, data, filepath.Dir(path), known)
}

// Parse reads a configuration and validates it. Problems name the file as name;
// relative paths in it are relative to the folder dir. It opens no file and asks
// no network; [Config.Inspect] does the former.
func Parse(name string, data []byte, dir string, known Known) (*Config, error) {
	root, problems := parseDocument(name, data)
	if len(problems) > 0 {
		return nil, asError(bounded(problems))
	}
	d := newDecoder(name, dir, known)
	c := &Config{places: d.places, defaultSecret: known.DefaultSecret}
	if p := d.version(root); p != nil {
		return nil, asError([]Problem{*p})
	}
	d.document(root, c)
	if d.wrong[""] {
		return nil, asError(d.problems)
	}
	v := newValidator(c, d, known)
	v.all()
	if problems := append(d.problems, v.problems...); len(problems) > 0 {
		return nil, asError(bounded(problems))
	}
	v.warn()
	c.keepToBase()
	c.warnings = inOrder(v.warnings)
	return c, nil
}

// Warnings is what is allowed and may still not be meant, in the order of the file.
func (c *Config) Warnings() []Problem { return c.warnings }

// Doubt makes a warning about a field, for what can't be judged here.
func (c *Config) Doubt(field, message, hint string) Problem {
	return c.places.problem(field, message, hint)
}

// format is the only version of the file's format so far.
const format = "1"

// wrongVersion is about the version that is written, if one is.
func wrongVersion(written string) (message, hint string) {
	return fmt.Sprintf("%s is no version that this build reads", written), "write version: " + format
}
