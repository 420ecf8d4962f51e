package issuer

import (
	"encoding/json"
	"maps"
	"net/http"
)

// Handle adds an endpoint of the caller's own, for tests that need a whole provider.
// The pattern is one of http.ServeMux.
func (i *Issuer) Handle(pattern string, h http.HandlerFunc) { i.mux.HandleFunc(pattern, h) }

// Discover sets members of the discovery document; nil leaves one out.
func (i *Issuer) Discover(members map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.metadata = maps.Clone(i.metadata)
	for name, v := range members {
		if i.metadata[name] = v; v == nil {
			delete(i.metadata, name)
		}
	}
}

// SetDiscoveryFault makes something else answer for the discovery document; nil
// heals it.
func (i *Issuer) SetDiscoveryFault(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.noMetadata = answer
}

// Discoveries returns how often the discovery document was asked for.
func (i *Issuer) Discoveries() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.discoveries
}

func (i *Issuer) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.discoveries++
	document, fault := i.metadata, i.noMetadata
	i.mu.Unlock()
	if fault != nil {
		fault(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document)
}
