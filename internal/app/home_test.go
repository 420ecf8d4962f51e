package app

import (
	"testing"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/proxy"
	"github.com/catflap/catflap/proxy/signin"
)

// TestHomeIsOurOwnPage: the default of the configuration is the page that there is.
func TestHomeIsOurOwnPage(t *testing.T) {
	c, err := config.Parse("catflap.yaml", []byte("version: 1\ncat: {url: http://127.0.0.1:1, insecure_open_cat: true}\nhandlers: [{name: staff, type: none}]\n"), "", config.Known{
		Handlers: config.HandlerTypes{"none": func() config.HandlerSettings { return new(nothing) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := proxy.PagePrefix + signin.HomeName; c.Pages.Home != want {
		t.Errorf("pages.home is %q, and the page is at %q", c.Pages.Home, want)
	}
}

// nothing is a handler type without settings.
type nothing struct{}

func (*nothing) Validate() error { return nil }
