package keyfile

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// The bounds of a file.
const (
	MaxBytes = 4 << 20
	MaxKeys  = 10_000
	maxOwner = 128
	maxNames = 100
	maxFrom  = 100
	maxDepth = 8
	version  = 1
)

// Entry is what the file keeps of one key.
type Entry struct {
	ID    string
	Hash  Hash
	Owner string // who has it
	// Permissions are all that it may do. An empty list allows nothing.
	Permissions []string
	// ActsFor, if not empty, is the alias of the people that it acts for.
	ActsFor string
	// From are the networks from which it is accepted; none: any.
	From             []netip.Prefix
	Created          time.Time
	Expires, Revoked time.Time // zero: never
}

// File is the content of a file of keys.
type File struct{ Keys []Entry }

// Find returns the entry of an id, or nil.
func (f *File) Find(id string) *Entry {
	i := slices.IndexFunc(f.Keys, func(e Entry) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return &f.Keys[i]
}

// document and written are the file as YAML has it.
type document struct {
	Version int       `yaml:"version"`
	Keys    []written `yaml:"keys"`
}

type written struct {
	ID          string   `yaml:"id"`
	Owner       string   `yaml:"owner"`
	SHA256      string   `yaml:"sha256"`
	Permissions []string `yaml:"permissions,flow"`
	ActsFor     string   `yaml:"acts_for,omitempty"`
	From        []string `yaml:"from,flow,omitempty"`
	Created     string   `yaml:"created"`
	Expires     string   `yaml:"expires,omitempty"`
	Revoked     string   `yaml:"revoked,omitempty"`
}

// Parse reads a file's content. An empty one holds no keys. Anything that is not
// understood is an error: a field that is passed over could be a limit of a key.
func Parse(content []byte) (*File, error) {
	if len(content) > MaxBytes {
		return nil, fmt.Errorf("larger than %d bytes", MaxBytes)
	}
	if len(bytes.TrimSpace(content)) == 0 {
		return &File{}, nil
	}
	d, err := load(content)
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return &File{}, nil
	case d.Version != version:
		return nil, fmt.Errorf("version is %d, and this Catflap reads version %d", d.Version, version)
	case len(d.Keys) > MaxKeys:
		return nil, fmt.Errorf("%d keys, and at most %d are read", len(d.Keys), MaxKeys)
	}
	f := &File{Keys: make([]Entry, 0, len(d.Keys))}
	owners, ids := map[string]string{}, map[string]bool{}
	for i, w := range d.Keys {
		e, err := w.entry()
		if err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		}
		if ids[e.ID] {
			return nil, fmt.Errorf("keys[%d]: the id %s is another key's too", i, e.ID)
		}
		if owner, taken := owners[e.ActsFor]; taken && e.ActsFor != "" && owner != e.Owner {
			return nil, fmt.Errorf("keys[%d]: acts_for: %s is the alias of another owner's people", i, e.ActsFor)
		}
		ids[e.ID], owners[e.ActsFor] = true, e.Owner
		f.Keys = append(f.Keys, e)
	}
	return f, nil
}

// load reads the YAML; nil: there is nothing in it.
func load(content []byte) (*document, error) {
	if !utf8.Valid(content) {
		return nil, errors.New("no UTF-8")
	}
	loader, err := yaml.NewLoader(bytes.NewReader(content), yaml.WithKnownFields(),
		yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth), loaderlimits.AliasValue(0))))
	if err != nil {
		return nil, err
	}
	var d, second document
	if err := loader.Load(&d); errors.Is(err, io.EOF) {
		return nil, nil //nolint:nilnil // comments alone
	} else if err != nil {
		return nil, plain(err)
	}
	if err := loader.Load(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second document, where one is read")
	}
	return &d, nil
}

// plain says where YAML ends, without a piece of the file.
func plain(err error) error {
	if e, ok := errors.AsType[*yaml.LoadError](err); ok && e.Mark.Line > 0 {
		return fmt.Errorf("no file of keys: line %d is not understood", e.Mark.Line)
	}
	return errors.New("no file of keys: it is not understood")
}

func (w *written) entry() (e Entry, err error) {
	e = Entry{ID: w.ID, Owner: w.Owner, Permissions: w.Permissions, ActsFor: w.ActsFor}
	hash, err := hex.DecodeString(w.SHA256)
	switch {
	case !IsID(w.ID):
		return e, errors.New("id: no id of a key")
	case err != nil || len(hash) != len(e.Hash):
		return e, errors.New("sha256: no SHA-256 in hex")
	case len(w.Permissions) > maxNames:
		return e, fmt.Errorf("permissions: more than %d", maxNames)
	case len(w.From) > maxFrom:
		return e, fmt.Errorf("from: more than %d networks", maxFrom)
	}
	copy(e.Hash[:], hash)
	if e.Permissions == nil {
		e.Permissions = []string{"base"} // where the file does not say
	}
	if err := CheckOwner(w.Owner); err != nil {
		return e, fmt.Errorf("owner: %w", err)
	}
	if w.ActsFor != "" {
		if err := CheckAlias(w.ActsFor); err != nil {
			return e, fmt.Errorf("acts_for: %w", err)
		}
	}
	for _, text := range w.From {
		p, err := ParseNetwork(text)
		if err != nil {
			return e, fmt.Errorf("from: %w", err)
		}
		e.From = append(e.From, p)
	}
	for _, t := range []struct {
		name, text string
		to         *time.Time
	}{{"created", w.Created, &e.Created}, {"expires", w.Expires, &e.Expires}, {"revoked", w.Revoked, &e.Revoked}} {
		if t.text == "" {
			continue
		}
		if *t.to, err = time.Parse(time.RFC3339, t.text); err != nil {
			return e, fmt.Errorf("%s: no time such as 2027-01-31T00:00:00Z", t.name)
		}
		if *t.to = t.to.UTC(); t.to.Year() < 1970 || t.to.Year() > 9998 {
			return e, fmt.Errorf("%s: year %d", t.name, t.to.Year())
		}
	}
	return e, nil
}

// CheckOwner reports a name that can't be an owner's: it becomes a user id.
func CheckOwner(s string) error {
	switch {
	case s == "":
		return errors.New("required")
	case len(s) > maxOwner:
		return fmt.Errorf("longer than %d bytes", maxOwner)
	case !utf8.ValidString(s):
		return errors.New("no UTF-8")
	}
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return errors.New("it holds a character that can't be seen")
		}
	}
	return nil
}

// CheckAlias reports an alias that can't stand before a user id.
func CheckAlias(s string) error {
	ok := s != "" && len(s) <= 31 && s[0] != '-'
	for i := range len(s) {
		c := s[i]
		ok = ok && ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-')
	}
	if !ok {
		return errors.New("no alias: lower-case letters, digits and -, not first, at most 31")
	}
	return nil
}

// ParseNetwork reads a network such as 192.0.2.0/24, or one address.
func ParseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p != p.Masked() {
		return netip.Prefix{}, errors.New("no network such as 192.0.2.0/24, or address")
	}
	return p, nil
}

// head begins each file that is written.
const head = `# The API keys of Catflap. Change it with: catflap key new, catflap key revoke.
# It holds no key, only a hash of each: nobody can come in with what stands here.
`

// Marshal writes the file's content.
func (f *File) Marshal() ([]byte, error) {
	d := document{Version: version, Keys: []written{}}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	for _, e := range f.Keys {
		w := written{
			ID: e.ID, Owner: e.Owner, SHA256: hex.EncodeToString(e.Hash[:]), Permissions: e.Permissions, ActsFor: e.ActsFor,
			Created: at(e.Created), Expires: at(e.Expires), Revoked: at(e.Revoked),
		}
		if w.Permissions == nil {
			w.Permissions = []string{}
		}
		for _, p := range e.From {
			w.From = append(w.From, p.String())
		}
		d.Keys = append(d.Keys, w)
	}
	b, err := yaml.Dump(&d, yaml.WithCompactSeqIndent(false), yaml.WithLineWidth(-1))
	return append([]byte(head), b...), err
}
