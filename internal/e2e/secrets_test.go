package e2e

import (
	"bytes"
	"crypto/rand"
	bytesof "encoding/binary"
	"slices"
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
	known map[string]bool
}{known: map[string]bool{}}

// plant remembers a credential. Of a token the parts that are its own are
// remembered: no piece of it may turn up, either.
func plant(credential string) {
	planted.mu.Lock()
	defer planted.mu.Unlock()
	texts := []string{credential}
	if parts := strings.Split(credential, "."); len(parts) == 3 {
		texts = parts[1:]
	}
	for _, text := range texts {
		if !planted.known[text] {
			planted.known[text] = true
			planted.texts = append(planted.texts, text)
		}
	}
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
	texts := planted.texts // which only grows: no other test waits while a long log is read
	planted.mu.Unlock()
	for _, text := range among(texts, b) {
		t.Errorf("%s holds a client's credential: %s", where, around(b, text))
	}
}

// prefix is how many bytes of a text are looked for first.
const prefix = 8

// among returns the texts that b holds. It reads b once, however many there are: what is
// looked up in each place are the first bytes of all texts.
func among(texts []string, b []byte) (found []string) {
	begins := map[uint64][]string{}
	var filter [1 << 14]uint64 // of hashes, to ask the map seldom
	at := func(first uint64) (*uint64, uint64) {
		hash := first * 0x9e3779b97f4a7c15 >> 44
		return &filter[hash/64], 1 << (hash % 64)
	}
	for _, text := range texts {
		if len(text) < prefix || len(b) < 1<<16 {
			if bytes.Contains(b, []byte(text)) {
				found = append(found, text)
			}
			continue
		}
		first := bytesof.LittleEndian.Uint64([]byte(text))
		begins[first] = append(begins[first], text)
		word, bit := at(first)
		*word |= bit
	}
	if len(begins) == 0 {
		return found
	}
	for i := 0; i+prefix <= len(b); i++ {
		first := bytesof.LittleEndian.Uint64(b[i:])
		if word, bit := at(first); *word&bit == 0 {
			continue
		}
		for _, text := range begins[first] {
			if bytes.HasPrefix(b[i:], []byte(text)) && !slices.Contains(found, text) {
				found = append(found, text)
			}
		}
	}
	return found
}

// TestAmong: whatever is planted is found, in short texts as in long ones, also at their
// edges.
func TestAmong(t *testing.T) {
	t.Parallel()
	texts := []string{"short", "a longer secret", "a longer one", "another secret", "never there at all"}
	want := slices.Sorted(slices.Values(texts[:4]))
	for _, size := range []int{0, 1 << 17} {
		filler := strings.Repeat("a longer x ", size/11)
		b := []byte("another secret" + filler + "short a longer secreta longer one" + filler + "a longer secret")
		if got := slices.Sorted(slices.Values(among(texts, b))); !slices.Equal(got, want) {
			t.Errorf("in %d bytes: %q", len(b), got)
		}
	}
}

// around shows where the text is.
func around(b []byte, text string) string {
	i := bytes.Index(b, []byte(text))
	return string(b[max(0, i-200):min(len(b), i+len(text)+60)])
}
