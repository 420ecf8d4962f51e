package app

import (
	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/seal"
)

// handlerState is what handlers have beyond a reload. One goroutine builds at a time.
type handlerState struct {
	kept map[handlerPlace]any
	own  []byte // the key of this process alone, where the configuration has none
}

// handlerPlace is a handler of one name and one type.
type handlerPlace struct{ name, kind string }

// keptFor returns the authhandlers.Env.Kept of a handler.
func (a *app) keptFor(h config.Handler) func(make func() any) any {
	place := handlerPlace{h.Name, h.Type}
	return func(make func() any) any {
		k, ok := a.handlers.kept[place]
		if !ok {
			k = make()
			a.handlers.kept[place] = k
		}
		return k
	}
}

// keysOfHandlers are what the handlers' own keys are made of: sessions.keys, or a key
// that lasts as long as the process.
func (a *app) keysOfHandlers(keys [][]byte) [][]byte {
	if len(keys) > 0 {
		return keys
	}
	if a.handlers.own == nil {
		a.handlers.own = seal.Own()
	}
	return [][]byte{a.handlers.own}
}
