package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/catflap/catflap/config/value"
)

// Inspect looks at what the configuration names: every secret can be read and
// holds something, the certificate and its key fit, and each handler type finds
// what it needs. It reads files and variables and asks no network. The error is
// an *[Errors]; the warnings are of what can be used and may still not be meant.
func (c *Config) Inspect() (warnings []Problem, err error) {
	i := inspection{c: c, seen: map[string]bool{}, ownSecret: c.ownSecretField()}
	i.handlers() // first, since a handler says more about its own secrets than inspectSecret
	i.keyAliases()
	c.each(func(field string, _ Field, v reflect.Value) {
		v = reflect.Indirect(v)
		if !v.IsValid() {
			return
		}
		switch v.Type() {
		case secretType:
			i.secret(field, v.Interface().(value.Secret))
		case accountType:
			i.secret(field, v.Interface().(AccountID).From)
		}
	})
	i.sameSecret()
	i.certificate()
	i.clientCertificates()
	i.sessions()
	i.attributes()
	i.authorities("cat.ca_file", i.c.Cat.CAFile)
	i.logo()
	return bounded(i.warnings), asError(bounded(i.problems))
}

type inspection struct {
	c                  *Config
	problems, warnings []Problem
	seen               map[string]bool // fields that have a problem
	ownSecret          string          // the field with the Cat's secret at a handler, if there is one
}

func (i *inspection) bad(field, message, hint string) {
	if !i.seen[field] {
		i.seen[field] = true
		i.problems = append(i.problems, i.c.places.problem(field, message, hint))
	}
}

func (i *inspection) doubt(field, message, hint string) {
	i.warnings = append(i.warnings, i.c.places.problem(field, message, hint))
}

func (i *inspection) handlers() {
	for n, h := range i.c.Handlers {
		at := item("handlers", n)
		if able, ok := h.Settings.(interface{ Inspect() error }); ok {
			for _, p := range i.c.located(at, able.Inspect()) {
				i.bad(p.Field, p.Message, p.Hint)
			}
		}
		if able, ok := h.Settings.(interface{ InspectDoubts() error }); ok {
			i.warnings = append(i.warnings, i.c.located(at, able.InspectDoubts())...)
		}
	}
}

func (i *inspection) secret(field string, s value.Secret) {
	if s.IsZero() {
		return
	}
	b, err := s.Read()
	if err != nil {
		hint := "set the variable where catflap is started, or name a file: {file: PATH}"
		switch {
		case errors.Is(err, value.ErrUnfit):
			hint = ""
		case s.File != "":
			hint = "the path is relative to the folder of the configuration; catflap's own user must be able to read the file"
		}
		if !i.seen[below(field, "env")] && !i.seen[below(field, "file")] {
			i.bad(field, err.Error(), hint)
		}
		return
	}
	i.catSecret(field, b)
	i.readable(field, s.File)
}

// catSecret judges what the Cat has too. Its keys travel in a header and in an address,
// where it reads letters beyond ASCII otherwise than we write them.
func (i *inspection) catSecret(field string, b []byte) {
	switch field {
	case "cat.api_key", "cat.api_key_ws":
		if strings.ContainsFunc(string(b), func(r rune) bool { return r >= utf8.RuneSelf }) {
			i.bad(field, "it holds letters beyond ASCII, which the Cat reads otherwise in a header", newSecret)
			return
		}
	case "cat.jwt_secret", i.ownSecret:
		if !utf8.Valid(b) {
			i.bad(field, "it is no UTF-8, and the Cat reads it as text", newSecret)
			return
		}
	default:
		return
	}
	if i.c.defaultSecret != nil && i.c.defaultSecret(b) {
		i.bad(field, "everybody knows it: it is a default of the Cat's, or an example of its documentation", newSecret)
	}
}

// newSecret is what helps where a secret of the Cat's can't stay.
const newSecret = "make one with `openssl rand -hex 32`, and give it to the Cat too"

// readable warns of a secret's file that other users of the machine can read.
func (i *inspection) readable(field string, file value.Path) {
	const others = 0o044
	if file == "" || runtime.GOOS == "windows" { // where the bits are made up
		return
	}
	info, err := os.Stat(string(file))
	if err == nil && info.Mode().Perm()&others != 0 {
		i.doubt(field, fmt.Sprintf("other users can read %s (mode %04o)", file, info.Mode().Perm()), "chmod 600, or 400, and give it to catflap's own user")
	}
}

func (i *inspection) certificate() {
	t := i.c.TLS
	if t == nil {
		return
	}
	pair, err := tls.LoadX509KeyPair(string(t.CertFile), string(t.KeyFile))
	if err != nil {
		i.bad("tls", "the certificate and the key can't be used: "+err.Error(), "both files are PEM; paths are relative to the folder of the configuration")
		return
	}
	i.readable("tls.key_file", t.KeyFile)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		i.bad("tls.cert_file", "the certificate can't be used: "+err.Error(), "")
		return
	}
	switch now := time.Now(); {
	case now.After(leaf.NotAfter):
		i.doubt("tls.cert_file", "the certificate has expired at "+leaf.NotAfter.UTC().Format(time.RFC3339), "renew it; it is read again when the file changes")
	case now.Before(leaf.NotBefore):
		i.doubt("tls.cert_file", "the certificate is valid only from "+leaf.NotBefore.UTC().Format(time.RFC3339), "look at the clock of this machine")
	}
	if u, err := url.Parse(i.c.PublicURL); err == nil && u.Hostname() != "" && leaf.VerifyHostname(u.Hostname()) != nil {
		i.doubt("tls.cert_file", "the certificate is not for the host of public_url", "get one for "+u.Hostname())
	}
}
