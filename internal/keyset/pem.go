package keyset

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// ParsePEM reads public keys and certificates; of a certificate only its key
// counts. Such keys have no id, so a token can't choose between two of them that
// suit one algorithm: that is an error (a chain with its authorities is one, and
// an authority is no issuer of tokens).
func ParsePEM(text []byte, allowed []string) ([]*Key, error) {
	var keys []*Key
	for n := 1; ; n++ {
		block, rest := pem.Decode(text)
		if block == nil {
			if len(bytes.TrimSpace(text)) != 0 && bytes.Contains(text, []byte("-----BEGIN")) {
				return nil, fmt.Errorf("block %d is no PEM", n)
			}
			break
		}
		text = rest
		if n > MaxKeys {
			return nil, fmt.Errorf("more than %d keys", MaxKeys)
		}
		public, err := pemKey(block)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", n, err)
		}
		k, err := newKey("", "", public, allowed)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", n, err)
		}
		for _, o := range keys {
			for _, a := range k.algorithms {
				if o.Fits(a) {
					return nil, fmt.Errorf("block %d: a second key for %s; keys of one kind need ids, so write a key set (JWKS)", n, a)
				}
			}
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("no PEM public key or certificate")
	}
	return keys, nil
}

func pemKey(block *pem.Block) (crypto.PublicKey, error) {
	switch block.Type {
	case "PUBLIC KEY":
		k, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("no public key")
		}
		return k, nil
	case "RSA PUBLIC KEY":
		k, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("no RSA public key")
		}
		return k, nil
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("no certificate")
		}
		return c.PublicKey, nil
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("a private key, which belongs to the issuer alone; give the public key")
	}
	return nil, errors.New("neither a public key nor a certificate")
}
