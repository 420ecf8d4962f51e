package app

import (
	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy/permission"
)

// eachKey tells of the API keys of a handler, if it has some. What is wrong with their
// file has been said before.
func eachKey(h config.Handler, each func(id string, permissions []string)) {
	if keys, ok := h.Settings.(authhandlers.KeyLister); ok {
		_ = keys.ListKeys(func(id, _ string, permissions []string) { each(id, permissions) })
	}
}

// warnKeys finds API keys whose permissions nobody here knows: they may do nothing.
func warnKeys(c *config.Config) (warnings []config.Problem) {
	for _, h := range c.Handlers {
		eachKey(h, func(id string, permissions []string) {
			if _, err := permission.ParseRights(permissions, c.Permissions.Sets); err != nil {
				warnings = append(warnings, c.Doubt("handlers", "the API key "+id+" of "+h.Name+" may do nothing: "+err.Error(),
					"name a set of permissions.sets, or make another key with catflap key new"))
			}
		})
	}
	return warnings
}
