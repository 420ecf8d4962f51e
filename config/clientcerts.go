package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/catflap/catflap/internal/clientcert"
)

// certificateTaker is a handler type's ability to take client certificates.
type certificateTaker interface {
	CertificatesOf() (people, proxies bool)
	AuthorityFingerprints() []string
}

// ClientCertificateFiles are those by which client certificates are judged. Where a
// handler takes names by themselves, there must be one authority that gives them.
func (c *Config) ClientCertificateFiles() clientcert.Files {
	f := clientcert.Files{Authorities: c.TLS.ClientCAFile, Lists: c.TLS.ClientCRLFile}
	for _, h := range c.Handlers {
		if t, ok := h.Settings.(certificateTaker); ok {
			people, proxies := t.CertificatesOf()
			f.One = f.One || (people || proxies) && len(t.AuthorityFingerprints()) == 0
		}
	}
	return f
}

// clientCertificates holds that the listener asks for what handlers take, and that the
// certificate of a front proxy makes nobody of it.
func (v *validator) clientCertificates() {
	v.clientCertificateFiles()
	earlier := -1
	for i, h := range v.c.Handlers {
		t, ok := h.Settings.(certificateTaker)
		if !ok {
			continue
		}
		people, proxies := t.CertificatesOf()
		if (people || proxies) && !v.c.TLS.AsksForCertificates() {
			v.bad(item("handlers", i), "it takes client certificates, and the listener asks for none", "write tls.client_certificates: optional, and tls.client_ca_file")
		}
		if people && earlier < 0 {
			earlier = i
		}
		if proxies && earlier >= 0 {
			v.bad(item("handlers", i), "it comes behind "+item("handlers", earlier)+", which takes the proxy's certificate for a person's", "put it before")
		}
	}
}

func (v *validator) clientCertificateFiles() {
	t := v.c.TLS
	switch {
	case t == nil:
	case t.AsksForCertificates() && t.ClientCAFile == "":
		v.bad("tls.client_ca_file", "required with client_certificates", "name the authorities that vouch for the certificates of clients, such as people-ca.pem")
	case !t.AsksForCertificates() && (t.ClientCAFile != "" || t.ClientCRLFile != ""):
		v.bad("tls.client_certificates", "is off, and files for it are named", "write optional or required, or leave the files out")
	}
}

// clientCertificates reads the files, and looks for the authorities that handlers name.
func (i *inspection) clientCertificates() {
	if !i.c.TLS.AsksForCertificates() {
		return
	}
	set, err := i.c.ClientCertificateFiles().Read()
	switch {
	case errors.Is(err, clientcert.ErrSeveral):
		i.bad("tls.client_ca_file", err.Error(), "name those whose certificates a handler takes in its authorities, or leave one in the file")
		return
	case err != nil:
		i.bad("tls.client_ca_file", "client certificates can't be judged: "+err.Error(), "paths are relative to the folder of the configuration")
		return
	}
	for n, h := range i.c.Handlers {
		t, ok := h.Settings.(certificateTaker)
		if !ok {
			continue
		}
		for m, text := range t.AuthorityFingerprints() {
			if f, err := clientcert.ParseFingerprint(text); err == nil && !set.Has(f) {
				i.bad(fmt.Sprintf("%s.authorities[%d]", item("handlers", n), m), "no authority of tls.client_ca_file has this fingerprint", "print it with: openssl x509 -noout -fingerprint -sha256 -in FILE")
			}
		}
	}
	if err := set.Stale(time.Now()); err != nil {
		i.doubt("tls.client_crl_file", err.Error(), "get the present list; it is read again when the file changes")
	}
}
