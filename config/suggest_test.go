package config

import (
	"strings"
	"testing"
)

func TestClosest(t *testing.T) {
	known := []string{"listen", "public_url", "handlers", "trusted_proxies", "run"}
	for name, want := range map[string]string{
		"lisen":                 "listen",
		"lsiten":                "listen", // two letters swapped are one slip
		"Handlers":              "handlers",
		"publicurl":             "public_url",
		"trusted_proxy":         "trusted_proxies",
		"rnu":                   "run",
		"ru":                    "", // too short
		"cat":                   "",
		"":                      "",
		strings.Repeat("a", 65): "",
	} {
		if got := closest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
