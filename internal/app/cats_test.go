package app

import (
	"log/slog"
	"testing"
	"time"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/proxy/cat"
)

// TestWhichConnectionsAReloadKeeps: those to each Cat that is the same as before.
func TestWhichConnectionsAReloadKeeps(t *testing.T) {
	several := func(urls ...string) config.Cat {
		return config.Cat{URLs: urls, ConnectTimeout: value.Duration(time.Second), ResponseTimeout: value.Duration(time.Second)}
	}
	one := config.Cat{URL: "http://a:1", ConnectTimeout: value.Duration(time.Second), ResponseTimeout: value.Duration(time.Second)}
	slower := several("http://a:1", "http://b:1")
	slower.ResponseTimeout *= 2
	for _, c := range []struct {
		name          string
		before, after config.Cat
		kept          []string
	}{
		{"the same one", one, one, []string{"http://a:1"}},
		{"the same several", several("http://a:1", "http://b:1"), several("http://b:1", "http://a:1"), []string{"http://a:1", "http://b:1"}},
		{"one more", several("http://a:1", "http://b:1"), several("http://c:1", "http://a:1", "http://b:1"), []string{"http://a:1", "http://b:1"}},
		{"one less", several("http://a:1", "http://b:1"), several("http://b:1"), []string{"http://b:1"}},
		{"other times", several("http://a:1", "http://b:1"), slower, nil},
		{"from one to several", one, several("http://a:1", "http://b:1"), nil},
		{"from several to one", several("http://a:1", "http://b:1"), one, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &app{log: slog.New(slog.DiscardHandler)}
			before, err := a.cats(t.Context(), c.before, cat.NewKeys("a", "b"), nil)
			if err != nil {
				t.Fatal(err)
			}
			a.current.Store(&generation{cats: before})
			after, err := a.cats(t.Context(), c.after, cat.NewKeys("a", "b"), nil)
			if err != nil {
				t.Fatal(err)
			}
			var kept int
			for _, address := range c.kept {
				if before.ways[address] == nil || before.ways[address] != after.ways[address] {
					t.Errorf("not kept: %s", address)
				}
			}
			for address, way := range after.ways {
				if before.ways[address] == way {
					kept++
				}
			}
			if kept != len(c.kept) {
				t.Errorf("%d kept, want %d", kept, len(c.kept))
			}
			if single, named := c.after.URL != "", after.pool.Up(); single != (len(named) == 0) {
				t.Errorf("one Cat: %v, and these have a name: %v", single, named)
			}
			before.close(after)
			after.close(nil)
		})
	}
}
