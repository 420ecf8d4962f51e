package config

import (
	"fmt"
	"time"

	"github.com/catflap/catflap/config/value"
)

// Attributes say what the Cat's plugins are told of a person: one short-lived JWT, signed
// by a key of Catflap's own, in the header X-Catflap-Attributes of each request and under
// catflap_attributes in each message. The public keys are at the admin listener, at
// /.well-known/jwks.json.
type Attributes struct {
	// The claims that are told beside the user id: name, groups, and those of the credential by
	// their paths, as grants have them.
	Claims []string `yaml:"claims" required:"true" example:"[name, email, groups]"`
	// How long a token holds; each has half of that left at least when it goes out. A
	// message that waits for longer than that at the Cat is not believed. From 30s to 15m.
	Lifetime value.Duration `yaml:"lifetime" default:"2m"`
	// Random texts of at least 32 bytes, of each of which a key is made: the first signs,
	// the others are published too. Without them a key is made at each start. Required
	// with sessions.store: redis, and the same in every Catflap.
	Keys []value.Secret `yaml:"keys" example:"[{env: CATFLAP_ATTRIBUTES_KEY}]"`
}

func (v *validator) attributes(a *Attributes) {
	const at = "cat.attributes"
	if a == nil {
		return
	}
	claims := below(at, "claims")
	if v.c.places.has(claims) && len(a.Claims) == 0 {
		v.bad(claims, "is empty", "write what plugins are to know, such as claims: [name, email, groups]")
	}
	first := map[string]int{}
	for i, name := range a.Claims {
		if reason := v.known.RefuseAttribute(name); reason != "" {
			v.bad(item(claims, i), quote(name)+" "+reason, "remove it, or name another claim")
			continue
		}
		if j, twice := first[name]; twice {
			v.bad(item(claims, i), quote(name)+" stands at "+item(claims, j)+" already", "remove one")
			continue
		}
		first[name] = i
	}
	between(v, below(at, "lifetime"), a.Lifetime, value.Duration(30*time.Second), value.Duration(15*time.Minute))
	keys := below(at, "keys")
	if v.c.Sessions.Store == storeRedis && len(a.Keys) == 0 {
		v.bad(keys, "required with sessions.store: redis, where several Catflaps stand before the same plugins", "write keys: [{env: NAME}] with a variable that holds at least 32 random bytes, such as `openssl rand -base64 32` makes them; every Catflap has the same")
	}
	v.differentSecrets(keys, a.Keys)
}

// differentSecrets wants each of some secrets once.
func (v *validator) differentSecrets(field string, secrets []value.Secret) {
	first := map[value.Secret]int{}
	for i, k := range secrets {
		if j, twice := first[k]; twice {
			v.bad(item(field, i), "is "+item(field, j)+" again", "remove one")
			continue
		}
		first[k] = i
	}
}

// warnAttributes finds attributes that plugins may not believe.
func (v *validator) warnAttributes() {
	a := v.c.Cat.Attributes
	if a == nil {
		return
	}
	if wait := v.c.WebSocket.DeliverWithin; wait > a.Lifetime/2 {
		v.doubt("cat.attributes.lifetime", fmt.Sprintf("a message may wait for %v, and then hold a token that has ended", wait), fmt.Sprintf("write %v or more, or a shorter websocket.deliver_within", 2*wait))
	}
	if v.c.AdminListen == "off" && len(a.Keys) == 0 {
		v.doubt("cat.attributes", "plugins can't get the key: admin_listen is off, and the key is another after each start", "write admin_listen, or keys")
	}
}

func (i *inspection) attributes() {
	if a := i.c.Cat.Attributes; a != nil {
		i.longEnough("cat.attributes.keys", a.Keys)
	}
}

// longEnough looks at secrets that keys are made of.
func (i *inspection) longEnough(field string, secrets []value.Secret) {
	for n, k := range secrets {
		if b, err := k.Read(); err == nil && len(b) < MinKeyBytes {
			i.bad(item(field, n), fmt.Sprintf("the key is shorter than %d bytes", MinKeyBytes), "make one with `openssl rand -base64 32`")
		}
	}
}
