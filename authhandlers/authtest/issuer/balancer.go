package issuer

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
)

// SignPadded makes a token as the load balancers of AWS do: each part has its padding.
func SignPadded(k *Key, header, claims map[string]any) string {
	h, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	padded := base64.URLEncoding.EncodeToString
	signed := padded(h) + "." + padded(c)
	sig, err := k.Sign(signed)
	if err != nil {
		panic(err)
	}
	return signed + "." + padded(sig)
}

// PEM is the public key as such a load balancer publishes it.
func (k *Key) PEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
