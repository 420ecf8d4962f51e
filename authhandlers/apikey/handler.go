package apikey

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyfile"
	"github.com/catflap/catflap/internal/reread"
)

// The events that are counted.
const (
	eventChanged  = "keys_changed"
	eventUnusable = "keys_file_unusable"
	eventUnknown  = "unknown_api_key"
)

type handler struct {
	issuer  string // of owners; an alias is added for the people that a key acts for
	path    string
	now     func() time.Time
	log     *slog.Logger
	observe func(string)

	polling sync.Mutex // held to read the file again
	file    *reread.File
	emptied time.Time // when the file held nothing at the first look; zero: it holds keys

	keys       atomic.Pointer[map[string]*key]
	generation atomic.Uint64
	broken     atomic.Pointer[string]
	uses       uses
}

// key is one entry of the file, and the person that it stands for.
type key struct {
	keyfile.Entry
	owner authhandlers.AuthUserInfo
}

// Authenticate takes bearer credentials that begin like an API key.
func (h *handler) Authenticate(_ context.Context, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if !r.Credential.Bearer() || !r.Credential.IsKey() {
		return nil, authhandlers.ErrNoCredential
	}
	id, err := keyfile.IDOf(r.Credential.Value)
	if err != nil {
		return nil, authhandlers.Reject(authhandlers.CodeMalformedToken, "this is no whole API key; copy it again", "no API key: %w", err)
	}
	now := h.now()
	h.poll(now)
	k := h.find(id, keyfile.HashOf(r.Credential.Value))
	if k == nil {
		h.observe(eventUnknown)
		return nil, authhandlers.Reject(authhandlers.CodeUnknownAPIKey, "this API key is not known here, or no longer", "%s has no such key with the id %s", h.path, id)
	}
	if err := k.refused(now); err != nil {
		return nil, err
	}
	if err := k.place(r.ClientIP); err != nil {
		return nil, err
	}
	u := &k.owner
	if k.ActsFor != "" {
		if u, err = h.onBehalf(k, r); err != nil {
			return nil, err
		}
	}
	h.uses.note(id, now)
	if r.Lasting {
		lasting := *u
		lasting.Evidence = k.evidence(r.ClientIP)
		return &lasting, nil
	}
	return u, nil
}

// find returns the key of this id and hash. The comparison takes the same time whether
// there is such an id or not.
func (h *handler) find(id string, hash keyfile.Hash) *key {
	var want keyfile.Hash
	k := (*h.keys.Load())[id]
	if k != nil {
		want = k.Hash
	}
	if subtle.ConstantTimeCompare(want[:], hash[:]) != 1 {
		return nil
	}
	return k
}

// refused says why a key of the file is not accepted any more.
func (k *key) refused(now time.Time) error {
	switch {
	case !k.Revoked.IsZero():
		return authhandlers.Reject(authhandlers.CodeRevokedAPIKey, "this API key has been revoked; get a new one", "the key %s of %q was revoked at %s", k.ID, k.Owner, k.Revoked.Format(time.RFC3339))
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return authhandlers.Reject(authhandlers.CodeTokenExpired, "this API key has expired; get a new one", "the key %s of %q ended at %s", k.ID, k.Owner, k.Expires.Format(time.RFC3339))
	}
	return nil
}

// place refuses a key that comes from another network than it is for.
func (k *key) place(from netip.Addr) error {
	of := func(p netip.Prefix) bool { return p.Contains(from.Unmap()) }
	if len(k.From) == 0 || slices.ContainsFunc(k.From, of) {
		return nil
	}
	return authhandlers.Reject(authhandlers.CodeAPIKeyPlace, "this API key is not for requests from this address", "the key %s of %q came from %s", k.ID, k.Owner, from)
}

// evidence names the key by id and hash, and the address that it came from: another key
// of the same id is another one. It opens nothing.
func (k *key) evidence(from netip.Addr) string { return k.proof() + " " + from.String() }

func (k *key) proof() string { return k.ID + " " + hex.EncodeToString(k.Hash[:]) }

// proven returns the key that evidence names, or nil, and where it came from.
func (h *handler) proven(evidence string) (*key, netip.Addr) {
	id, rest, _ := strings.Cut(evidence, " ")
	hash, from, _ := strings.Cut(rest, " ")
	k := (*h.keys.Load())[id]
	if k == nil || k.proof() != id+" "+hash {
		return nil, netip.Addr{}
	}
	address, _ := netip.ParseAddr(from) // else it is unknown
	return k, address
}

// Rejudge implements authhandlers.Rejudger.
func (h *handler) Rejudge(u *authhandlers.AuthUserInfo) (*authhandlers.AuthUserInfo, error) {
	h.poll(h.now())
	k, from := h.proven(u.Evidence)
	if k == nil {
		return nil, authhandlers.Reject(authhandlers.CodeUnknownAPIKey, "this API key is not known here any more", "%s has the key no more", h.path)
	}
	if err := k.refused(h.now()); err != nil {
		return nil, err
	}
	if err := k.place(from); err != nil {
		return nil, err
	}
	if k.ActsFor == "" {
		return &k.owner, nil
	}
	return h.person(k, u.Subject), nil
}

// Generation implements authhandlers.Rejudger. It is asked each second or so, so that
// what is due is done here.
func (h *handler) Generation() uint64 {
	now := h.now()
	h.poll(now)
	h.saveUses(now)
	return h.generation.Load()
}

var (
	_ authhandlers.AuthHandler = (*handler)(nil)
	_ authhandlers.Rejudger    = (*handler)(nil)
	_ authhandlers.Noter       = (*handler)(nil)
	_ authhandlers.KeyHolder   = (*handler)(nil)
)
