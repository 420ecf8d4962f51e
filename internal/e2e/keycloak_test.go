package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
)

// keycloak is what one test has of the Keycloak that all tests of a run share: a
// client of its own, so that what a test changes at it changes nothing for another.
type keycloak struct {
	t            testing.TB
	server       *keycloakServer
	clientID     string // also the audience of the client's access tokens
	clientSecret string
}

// keycloakServer is the process, and the administrator's token.
type keycloakServer struct {
	addr    string
	log     output
	clients atomic.Int32 // numbers what tests make
	admin   struct {
		mu    sync.Mutex
		token string
		until time.Time
	}
}

// sharedKeycloak starts the server when the first test wants it: it takes ten
// seconds, and most runs of one test need none.
var sharedKeycloak = sync.OnceValues(launchKeycloak)

// startKeycloak waits for the run's Keycloak and makes a client for this test.
func startKeycloak(t testing.TB) *keycloak {
	t.Helper()
	parts.Need(t, installed.HaveKeycloak())
	server, err := sharedKeycloak()
	if err != nil {
		t.Fatal(err)
	}
	k := &keycloak{t: t, server: server}
	k.newClient()
	return k
}

// launchKeycloak starts the server on a copy of the prepared database, and leaves its
// end to the end of the run.
func launchKeycloak() (*keycloakServer, error) {
	addr, err := findAddress()
	if err != nil {
		return nil, err
	}
	s := &keycloakServer{addr: addr}
	cmd, err := installed.KeycloakServer(addr, filepath.Join(scratch, "keycloak"))
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	exited, err := startProcess(cmd)
	if err != nil {
		return nil, err
	}
	atTheEnd(func() {
		signalProcess(cmd, syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(20 * time.Second):
			fmt.Fprintln(os.Stderr, "e2e: keycloak had to be killed")
			signalProcess(cmd, syscall.SIGKILL)
			<-exited
		}
	})
	// A loaded machine of two cores takes ten times as long as an idle one.
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := parts.AwaitKeycloak(ctx, addr, exited); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, s.log.String())
	}
	return s, nil
}

func (s *keycloakServer) issuer() string {
	return "http://" + s.addr + "/realms/" + parts.KeycloakRealm
}

func (k *keycloak) issuer() string { return k.server.issuer() }

// jwksURL is where its keys are.
func (k *keycloak) jwksURL() string { return k.issuer() + "/protocol/openid-connect/certs" }

// config is a configuration whose jwt handler trusts this provider.
func (k *keycloak) config(cat string) config {
	return config{cat: cat, issuer: k.issuer(), jwksURL: k.jwksURL()}
}

// token gets tokens for a person by password, as that client of the realm. They live
// 60 s.
func (k *keycloak) token(client, user string) tokens {
	k.t.Helper()
	secret := "catflap-secret"
	switch client {
	case k.clientID:
		secret = k.clientSecret
	case "other-app":
		secret = "other-secret"
	}
	got, err := k.grant(client, secret, url.Values{
		"grant_type": {"password"}, "username": {user}, "password": {user + "-pw"}, "scope": {"openid"},
	})
	if err != nil {
		k.t.Fatalf("token of %s for %s: %v", client, user, err)
	}
	return got
}

func (k *keycloak) grant(client, secret string, form url.Values) (tokens, error) {
	ctx, cancel := context.WithTimeout(k.t.Context(), 3*patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.issuer()+"/protocol/openid-connect/token", strings.NewReader(form.Encode()))
	if err != nil {
		return tokens{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(client, secret)
	var got tokens
	if err := decodeAnswer(req, &got); err != nil {
		return tokens{}, err
	}
	for _, credential := range []string{got.Access, got.ID, got.Refresh} {
		if credential != "" {
			plant(credential)
		}
	}
	return got, nil
}
