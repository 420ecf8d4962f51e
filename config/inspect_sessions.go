package config

import (
	"crypto/tls"

	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/picture"
	"github.com/catflap/catflap/internal/seal"
)

// MinKeyBytes is the least length of a secret that keys are made of, as it is written.
const MinKeyBytes = seal.MinKey

func (i *inspection) sessions() {
	i.longEnough("sessions.keys", i.c.Sessions.Keys)
	if r := i.c.Sessions.Redis; r != nil && r.TLS != nil {
		i.redisTLS(r.TLS)
	}
}

func (i *inspection) redisTLS(t *RedisTLS) {
	const at = "sessions.redis.tls"
	i.authorities(below(at, "ca_file"), t.CAFile)
	if t.CertFile == "" {
		return
	}
	if _, err := tls.LoadX509KeyPair(string(t.CertFile), string(t.KeyFile)); err != nil {
		i.bad(at, "the certificate and the key can't be used: "+err.Error(), "both files are PEM; paths are relative to the folder of the configuration")
		return
	}
	i.readable(below(at, "key_file"), t.KeyFile)
}

// authorities looks at a file of those that are trusted.
func (i *inspection) authorities(field string, p value.Path) {
	if _, err := p.Certificates(); err != nil {
		i.bad(field, err.Error(), "the file is PEM; the path is relative to the folder of the configuration")
	}
}

func (i *inspection) logo() {
	if _, err := i.c.Pages.Logo(); err != nil {
		i.bad("pages.logo_file", err.Error(), "the picture is "+picture.Kinds+", at most 256KiB; the path is relative to the folder of the configuration")
	}
}
