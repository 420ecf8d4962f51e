package config

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/catflap/catflap/config/value"
)

// MinKeyBytes is the least length of a session key, as it is written.
const MinKeyBytes = 32

func (i *inspection) sessions() {
	for n, k := range i.c.Sessions.Keys {
		if b, err := k.Read(); err == nil && len(b) < MinKeyBytes {
			i.bad(item("sessions.keys", n), "the key is shorter than 32 bytes", "make one with `openssl rand -base64 32`")
		}
	}
	if r := i.c.Sessions.Redis; r != nil && r.TLS != nil {
		i.redisTLS(r.TLS)
	}
}

func (i *inspection) redisTLS(t *RedisTLS) {
	const (
		at       = "sessions.redis.tls"
		maxBytes = 1 << 20
		hint     = "the file is PEM; the path is relative to the folder of the configuration"
	)
	if t.CAFile != "" {
		b, err := value.ReadFile(string(t.CAFile), maxBytes)
		switch {
		case err != nil:
			i.bad(below(at, "ca_file"), err.Error(), hint)
		case !x509.NewCertPool().AppendCertsFromPEM(b):
			i.bad(below(at, "ca_file"), string(t.CAFile)+" holds no certificate", hint)
		}
	}
	if t.CertFile == "" {
		return
	}
	if _, err := tls.LoadX509KeyPair(string(t.CertFile), string(t.KeyFile)); err != nil {
		i.bad(at, "the certificate and the key can't be used: "+err.Error(), "both files are PEM; paths are relative to the folder of the configuration")
		return
	}
	i.readable(below(at, "key_file"), t.KeyFile)
}

func (i *inspection) logo() {
	if _, _, err := i.c.Pages.Logo(); err != nil {
		i.bad("pages.logo_file", err.Error(), "the picture is PNG, JPEG, GIF, WebP or SVG, at most 256KiB; the path is relative to the folder of the configuration")
	}
}
