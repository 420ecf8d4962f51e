package e2e

import (
	"net"
	"sync"
	"testing"

	"github.com/catflap/catflap/internal/demo/standin"
)

// catBehindTap is a stand-in Cat on loopback, with a tap before it.
type catBehindTap struct {
	*standin.Running
	tap  *tap
	stop func()
}

// startCat serves a closed Cat: both of its keys are set.
func startCat(t testing.TB) *catBehindTap {
	t.Helper()
	return serveCat(t, "127.0.0.1:0", standin.Options{APIKey: catKey, APIKeyWS: catKeyWS, JWTSecret: "no default"})
}

func serveCat(t testing.TB, addr string, o standin.Options) *catBehindTap {
	t.Helper()
	r := listenAs(t, addr, o)
	stop := sync.OnceFunc(func() { _ = r.Close() })
	t.Cleanup(stop)
	return &catBehindTap{Running: r, tap: newTap(t, r.URL[len("http://"):]), stop: stop}
}

// listenAs serves a Cat without a tap.
func listenAs(t testing.TB, addr string, o standin.Options) *standin.Running {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return standin.New(o).Start(l)
}
