// Package builtin lists the handlers that Catflap comes with.
//
// The rule it guards: what a configuration can name is this list and nothing else.
// There is no registration at start-up and no global to add to. A build with a
// handler of its own takes the map, adds a key, and hands it on.
package builtin

import (
	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/anonymous"
	"github.com/catflap/catflap/authhandlers/apikey"
	"github.com/catflap/catflap/authhandlers/catuser"
	"github.com/catflap/catflap/authhandlers/forwarded"
	"github.com/catflap/catflap/authhandlers/introspection"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/authhandlers/mtls"
	"github.com/catflap/catflap/authhandlers/oidc"
	"github.com/catflap/catflap/authhandlers/webhook"
)

// Registry returns a new map of all built-in handlers by their type name.
func Registry() authhandlers.Registry {
	return authhandlers.Registry{
		"anonymous":     func() authhandlers.Config { return anonymous.NewConfig() },
		"apikey":        func() authhandlers.Config { return apikey.NewConfig() },
		"catuser":       func() authhandlers.Config { return catuser.NewConfig() },
		"forwarded":     func() authhandlers.Config { return forwarded.NewConfig() },
		"introspection": func() authhandlers.Config { return introspection.NewConfig() },
		"jwt":           func() authhandlers.Config { return jwt.NewConfig() },
		"mtls":          func() authhandlers.Config { return mtls.NewConfig() },
		"oidc":          func() authhandlers.Config { return oidc.NewConfig() },
		"webhook":       func() authhandlers.Config { return webhook.NewConfig() },
	}
}
