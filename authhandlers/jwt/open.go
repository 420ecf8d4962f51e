package jwt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/keyset"
	"github.com/catflap/catflap/internal/keyset/groupclaim"
	"github.com/catflap/catflap/internal/keyset/strictjson"
	"github.com/catflap/catflap/internal/tokencache"
)

// rememberedRefusals bounds how many refused tokens are remembered. They are only
// those whose signature was computed; a repeated one is then as cheap as garbage.
const rememberedRefusals = 1024

// Open makes the handler. Keys from an address are fetched in the background.
func (c *Config) Open(ctx context.Context, env authhandlers.Env) (authhandlers.AuthHandler, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	keys, err := c.openKeys(ctx, env, c.Allowed())
	if err != nil {
		return nil, err
	}
	granting, err := NewGranting(c.Groups.All(), env.Claims)
	if err != nil {
		return nil, err
	}
	return newHandler(c, env, Rules{Keys: keys, Check: granting.whole})
}

func newHandler(c *Config, env authhandlers.Env, r Rules) (*handler, error) {
	h := &handler{
		verifier: newVerifier(c, env, r.Keys),
		issuer:   c.Issuer,
		carrier:  c.Carrier,
		balancer: newBalancer(c),
		now:      env.Now,
		claims:   newJudge(c),
		rules:    r,
	}
	h.claims.idAudiences = slices.Clone(r.IDAudiences)
	var err error
	if h.identity, err = newIdentity(c, env.Claims); err != nil {
		return nil, err
	}
	h.watch = newClaimWatch(&h.identity, env.Log, env.Now, "bearer tokens")
	if h.lists, err = tokencache.NewLists(sharedLists); err != nil {
		return nil, err
	}
	h.cache, err = tokencache.New[*verified](tokencache.Options{
		Accepted:   env.CachedTokens,
		Refused:    min(env.CachedTokens, rememberedRefusals),
		RefusedFor: refusedFor,
		Generation: h.keys.Generation,
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (c *Config) openKeys(ctx context.Context, env authhandlers.Env, allowed []string) (*keyset.Set, error) {
	client, err := trusting(env.HTTP, c.Keys.CAFile)
	if err != nil {
		return nil, fmt.Errorf("keys.ca_file: %w", err)
	}
	o := keyset.Options{
		Algorithms:   allowed,
		Now:          env.Now,
		Log:          env.Log,
		Observe:      env.Observe,
		HTTP:         client,
		Lifetime:     c.Keys.Lifetime.Std(),
		Cooldown:     c.Keys.Cooldown.Std(),
		StaleIfError: c.Keys.StaleIfError.Std(),
	}
	switch k := c.Keys; {
	case k.JWKSURL != "":
		return keyset.OpenURL(ctx, k.JWKSURL, o)
	case k.JWKSFile != "":
		return keyset.OpenFile(string(k.JWKSFile), o)
	case k.PEMURL != "":
		return keyset.OpenPEMs(ctx, k.PEMURL, o)
	case k.PEMFile != "":
		return keyset.OpenPEM(string(k.PEMFile), o)
	case !k.Secret.IsZero():
		if err := c.Inspect(); err != nil {
			return nil, err
		}
		shared, err := k.Secret.Read()
		if err != nil {
			return nil, err
		}
		return keyset.OpenSecret(shared, o)
	}
	return nil, errors.New("no source of keys")
}

func trusting(client *http.Client, authorities value.Path) (*http.Client, error) {
	pool, err := authorities.Certificates()
	if err != nil {
		return nil, err
	}
	return keyset.Trusting(client, pool)
}

// newIdentity compiles the claim paths.
func newIdentity(c *Config, retained []string) (identity, error) {
	id := identity{issuer: c.personIssuer(), email: c.UserID == "email", lower: c.EmailCase == "lower"}
	for _, p := range []struct {
		to   *strictjson.Path
		text string
	}{{&id.user, c.UserID}, {&id.name, c.UserName}} {
		if p.text == "" {
			continue
		}
		var err error
		if *p.to, err = strictjson.ParsePath(p.text); err != nil {
			return identity{}, fmt.Errorf("%q: %w", p.text, err)
		}
	}
	var err error
	if id.groups, err = groupclaim.New(c.Groups.All(), c.GroupsSeparator, c.GroupsObject); err != nil {
		return identity{}, err
	}
	for _, text := range retained {
		p, err := strictjson.ParsePath(text)
		if err != nil {
			return identity{}, fmt.Errorf("claim %q: %w", text, err)
		}
		id.retained = append(id.retained, p)
	}
	return id, nil
}
