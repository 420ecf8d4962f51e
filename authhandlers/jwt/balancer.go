package jwt

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// balancer is the load balancer of AWS whose tokens a handler takes; the zero value is
// none. Its tokens are signed with keys of the whole region, are padded, and name their
// receiver in the header.
type balancer struct {
	signer  string
	clients []string // nil: any
}

func newBalancer(c *Config) balancer {
	if c.Signer == "" {
		return balancer{}
	}
	return balancer{signer: c.Signer, clients: slices.Clone(c.Clients)}
}

func (c *Config) validateBalancer(p *authhandlers.FieldErrors) {
	switch {
	case c.Signer == "" && c.Keys.PEMURL != "":
		p.Add("signer", "required with keys.pem_url", "the load balancer's ARN: its keys are those of everybody's load balancers")
	case c.Signer != "" && c.Keys.PEMURL == "":
		p.Add("signer", "given without keys.pem_url", "leave it out, or name the load balancer's keys with keys.pem_url")
	case c.Signer != "" && (!strings.HasPrefix(c.Signer, "arn:") || strings.ContainsAny(c.Signer, " *?\t\r\n")):
		p.Add("signer", "no ARN of one load balancer", "such as arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188")
	}
	if c.Signer != "" && c.RequireTyp != "" {
		p.Add("require_typ", "given with signer", "leave it out: a load balancer's tokens have no such typ")
	}
	if c.Keys.PEMURL == "" {
		return
	}
	if err := keyset.CheckPEMs(c.Keys.PEMURL); err != nil {
		p.Add("keys.pem_url", err.Error(), "such as https://public-keys.auth.elb.eu-west-1.amazonaws.com/{kid}")
	}
}

// parse takes a token apart, in the form in which its issuer writes it.
func (h *handler) parse(text string) (*keyset.Token, error) {
	if h.balancer.signer != "" {
		return keyset.ParsePadded(text)
	}
	return keyset.ParseToken(text)
}

// check holds a token to the load balancer and the clients. The header is signed, too.
func (b balancer) check(header strictjson.Object) error {
	if b.signer == "" {
		return nil
	}
	if signer := member(header, "signer"); signer != b.signer {
		return reject(authhandlers.CodeWrongAudience, "the token is not meant for this service", "signer of the header is %s; wanted: %s", quote(signer), quote(b.signer))
	}
	if client := member(header, "client"); b.clients != nil && !slices.Contains(b.clients, client) {
		return foreignClient("client of the header is " + quote(client) + ", not one of clients")
	}
	return nil
}

// distance is how far the token is from one that is for this load balancer.
func (b balancer) distance(header strictjson.Object) int {
	switch {
	case b.signer == "":
		return 0
	case member(header, "signer") != b.signer:
		return otherAudience
	case b.check(header) != nil:
		return otherClient
	}
	return 0
}

// evidence writes what stands for a signature, in the form that parse reads.
func (b balancer) evidence(thumbprint []byte) string {
	if b.signer != "" {
		return base64.URLEncoding.EncodeToString(thumbprint)
	}
	return base64.RawURLEncoding.EncodeToString(thumbprint)
}

// member returns a member that is a string, or "".
func member(o strictjson.Object, name string) string {
	v, _ := o.Get(name)
	text, _ := v.Str()
	return text
}
