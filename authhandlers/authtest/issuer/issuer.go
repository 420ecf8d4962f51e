package issuer

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are what may be chosen of an issuer.
type Options struct {
	// Now is the clock. The default is time.Now.
	Now func() time.Time
	// Address to listen at. The default is 127.0.0.1 with a port of the system's.
	Address string
	// Audience of the tokens. The default is catflap.
	Audience string
	// Algorithms of the keys to begin with; each key's id is the algorithm's name in
	// lower case. The default is ES256, whose keys are quick to make.
	Algorithms []string
}

// Issuer makes tokens and serves its key set. It is used by many goroutines at once.
type Issuer struct {
	now      func() time.Time
	audience string
	url      string
	server   *http.Server
	mux      *http.ServeMux
	closing  chan struct{}
	served   chan struct{}

	mu          sync.Mutex
	first       *Key // the one that signs by default
	jwks        []map[string]any
	keys        map[string]*Key
	fault       http.HandlerFunc
	metadata    map[string]any
	noMetadata  http.HandlerFunc
	fetches     int
	discoveries int
	serial      int
}

// New starts an issuer. Close ends it.
func New(o Options) (*Issuer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.Audience == "" {
		o.Audience = "catflap"
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = []string{"ES256"}
	}
	i := &Issuer{
		now: o.Now, audience: o.Audience, keys: map[string]*Key{},
		closing: make(chan struct{}), served: make(chan struct{}),
	}
	for _, a := range o.Algorithms {
		k, err := NewKey(strings.ToLower(a), a)
		if err != nil {
			return nil, err
		}
		i.Publish(k)
	}
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, err
	}
	i.url = "http://" + l.Addr().String()
	i.mux = http.NewServeMux()
	i.mux.HandleFunc("GET /jwks", i.serveKeys)
	i.mux.HandleFunc("GET /.well-known/openid-configuration", i.serveDiscovery)
	i.metadata = map[string]any{"issuer": i.url, "jwks_uri": i.JWKSURL()}
	i.server = &http.Server{Handler: i.mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(i.served)
		_ = i.server.Serve(l) // its error is that of Close
	}()
	return i, nil
}

// Close stops the issuer at once, hanging answers included.
func (i *Issuer) Close() error {
	select {
	case <-i.closing:
		return errors.New("issuer: closed already")
	default:
	}
	close(i.closing)
	err := i.server.Close()
	<-i.served
	return err
}

// URL is the issuer's name, the iss of its tokens.
func (i *Issuer) URL() string { return i.url }

// JWKSURL is where the key set is.
func (i *Issuer) JWKSURL() string { return i.url + "/jwks" }

// Audience is the aud of its tokens.
func (i *Issuer) Audience() string { return i.audience }

// Publish adds keys to the key set. The first key ever signs by default.
func (i *Issuer) Publish(keys ...*Key) {
	for _, k := range keys {
		i.PublishJWK(k.JWK())
		i.mu.Lock()
		i.keys[k.ID] = k
		if i.first == nil {
			i.first = k
		}
		i.mu.Unlock()
	}
}

// PublishJWK adds an entry of any content to the key set.
func (i *Issuer) PublishJWK(jwk map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.jwks = append(i.jwks, jwk)
}

// Withdraw takes the keys of an id out of the key set. They still sign.
func (i *Issuer) Withdraw(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.jwks = slices.DeleteFunc(i.jwks, func(j map[string]any) bool { return j["kid"] == id })
}

// SignWith makes a key the one that signs by default.
func (i *Issuer) SignWith(k *Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.first = k
}

// Key returns a key that was published, or nil.
func (i *Issuer) Key(id string) *Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[id]
}

// JWKS returns the key set document.
func (i *Issuer) JWKS() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	keys := i.jwks
	if keys == nil {
		keys = []map[string]any{}
	}
	b, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err) // an entry that is no JSON: a mistake of the caller
	}
	return b
}

// Fetches returns how often the key set was asked for.
func (i *Issuer) Fetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

func (i *Issuer) serveKeys(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.fetches++
	fault := i.fault
	i.mu.Unlock()
	if fault != nil {
		fault(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(i.JWKS()) // a client that left is its own matter
}
