package standin_test

import (
	"testing"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
	"github.com/catflap/catflap/proxy/cat/cattest"
)

// start serves a Cat for as long as the test.
func start(t *testing.T, o standin.Options) *standin.Running {
	t.Helper()
	cat, err := standin.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cat.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return cat
}

func TestContract(t *testing.T) {
	for _, tt := range []struct{ name, key, keyWS string }{
		{"both keys", "http-key", "ws-key"},
		{"no key", "", ""},
		{"only the HTTP key", "http-key", ""},
		{"only the socket key", "", "ws-key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const secret = "a secret of the stand-in's"
			cat := start(t, standin.Options{
				APIKey: tt.key, APIKeyWS: tt.keyWS, JWTSecret: secret,
				FailedLogin: 600 * time.Millisecond,
			})
			cattest.Run(t, cattest.Target{
				URL: cat.URL, APIKey: tt.key, APIKeyWS: tt.keyWS, JWTSecret: secret,
				Echoes: true, Plugin: true, Rights: true, MayWipe: true,
			})
		})
	}
}
