package app

import (
	"slices"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy"
	"github.com/catflap/catflap/proxy/attributes"
	"github.com/catflap/catflap/proxy/cat"
)

// Load reads and validates a configuration file, and verifies that the files and
// variables that it names can be used. It asks no network. The error is a
// *config.Errors with everything that is wrong; the warnings are for people who
// check a file.
func Load(path string, handlers authhandlers.Registry) (*config.Config, []config.Problem, error) {
	c, err := config.Load(path, known(handlers))
	if err != nil {
		return nil, nil, err
	}
	warnings := c.Warnings()
	inspected, err := c.Inspect()
	if err != nil {
		return nil, nil, err
	}
	warnings = append(append(append(warnings, inspected...), warnAccounts(c)...), warnKeys(c)...)
	slices.SortStableFunc(warnings, func(a, b config.Problem) int { return a.Line - b.Line })
	return c, warnings, nil
}

// Parse validates the text of a configuration. It looks at no file and no variable.
func Parse(name string, text []byte, handlers authhandlers.Registry) (*config.Config, error) {
	return config.Parse(name, text, ".", known(handlers))
}

// LoadForAccounts reads and validates a configuration file whose service accounts may
// not exist yet. Of what else it names it verifies the Cat's keys alone.
func LoadForAccounts(path string, handlers authhandlers.Registry) (*config.Config, error) {
	c, err := config.Load(path, known(handlers))
	if err == nil && len(c.Cat.ServiceAccounts) == 0 {
		_, err = c.Inspect()
	}
	return c, err
}

// known tells the configuration what it can't import: the types of handlers, the
// Cat's permissions, and which headers never pass.
func known(registry authhandlers.Registry) config.Known {
	k := config.Known{
		Handlers: config.HandlerTypes{}, Permissions: []string{"*"},
		RefuseRequestHeader: proxy.RefuseRequestHeader, RefuseAnswerHeader: proxy.RefuseAnswerHeader,
		RefuseCarrierHeader: proxy.RefuseCarrierHeader, RefuseCarrierCookie: proxy.RefuseCarrierCookie, SameName: proxy.SameName,
		RefuseAttribute: attributes.RefuseClaim, DefaultSecret: cat.IsDefaultSecret,
	}
	for name, empty := range registry {
		k.Handlers[name] = func() config.HandlerSettings { return empty() }
	}
	for _, resource := range cat.Resources() {
		for _, action := range append(cat.Actions(), "*") {
			if _, err := cat.ParsePermissions(resource + ":" + action); err == nil {
				k.Permissions = append(k.Permissions, resource+":"+action)
			}
		}
	}
	for _, p := range cat.Base.List() {
		k.Base = append(k.Base, p.String())
	}
	return k
}
