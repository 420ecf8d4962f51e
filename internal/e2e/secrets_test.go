package e2e

import (
	"bytes"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
)

// The Cat's own keys. They may reach the Cat and nobody else.
var catKey, catKeyWS = "http-key-" + rand.Text(), "ws-key-" + rand.Text()

// planted are the credentials of clients. They may reach nobody.
var planted = struct {
	mu    sync.Mutex
	texts []string
}{}

// plant remembers a credential. Of a token the parts that are its own are
// remembered: no piece of it may turn up, either.
func plant(credential string) {
	planted.mu.Lock()
	defer planted.mu.Unlock()
	if parts := strings.Split(credential, "."); len(parts) == 3 {
		planted.texts = append(planted.texts, parts[1], parts[2])
		return
	}
	planted.texts = append(planted.texts, credential)
}

// noSecret fails if bytes that are not for the Cat hold any secret.
func noSecret(t testing.TB, where string, b []byte) {
	t.Helper()
	for _, key := range []string{catKey, catKeyWS} {
		if bytes.Contains(b, []byte(key)) {
			t.Errorf("%s holds a key of the Cat: %s", where, around(b, key))
		}
	}
	noClientSecret(t, where, b)
}

// noClientSecret is noSecret for bytes to the Cat.
func noClientSecret(t testing.TB, where string, b []byte) {
	t.Helper()
	planted.mu.Lock()
	defer planted.mu.Unlock()
	for _, text := range planted.texts {
		if bytes.Contains(b, []byte(text)) {
			t.Errorf("%s holds a client's credential: %s", where, around(b, text))
		}
	}
}

// around shows where the text is.
func around(b []byte, text string) string {
	i := bytes.Index(b, []byte(text))
	return string(b[max(0, i-200):min(len(b), i+len(text)+60)])
}
