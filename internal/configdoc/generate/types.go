package main

import (
	"github.com/catflap/catflap/authhandlers/builtin"
	"github.com/catflap/catflap/config"
)

// handlerTypes are the handler types that come with Catflap.
func handlerTypes() config.HandlerTypes {
	types := config.HandlerTypes{}
	for name, empty := range builtin.Registry() {
		types[name] = func() config.HandlerSettings { return empty() }
	}
	return types
}
