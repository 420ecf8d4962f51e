package app

import (
	"fmt"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/fleet"
	"github.com/catflap/catflap/proxy/session"
)

// openFleet joins those who share a Redis: it is opened at the start, whether people
// sign in or not. It waits for nothing on the network. Without a Redis there is no
// fleet.
func (a *app) openFleet(c *config.Config) (chat.Fleet, error) {
	if c.Sessions.Store != "redis" {
		return nil, nil //nolint:nilnil // alone
	}
	var err error
	if a.store, err = a.sessionStore(c.Sessions); err != nil {
		return nil, err
	}
	shared, ok := a.store.(*session.Redis)
	if !ok {
		return nil, nil //nolint:nilnil // alone
	}
	keys, err := sessionKeys(c.Sessions)
	if err != nil {
		return nil, err
	}
	f, err := fleet.New(fleet.Options{Client: shared.Client(), Keys: keys, Log: a.log})
	if err != nil {
		return nil, err
	}
	a.others.Store(f)
	return f, nil
}

func sessionKeys(c config.Sessions) ([][]byte, error) {
	var keys [][]byte
	for i, k := range c.Keys {
		b, err := k.Read()
		if err != nil {
			return nil, fmt.Errorf("sessions.keys[%d]: %w", i, err)
		}
		keys = append(keys, b)
	}
	return keys, nil
}

// closeFleet leaves the fleet, when no socket is open any more.
func (a *app) closeFleet() {
	if f := a.others.Swap(nil); f != nil {
		f.Close()
	}
}
