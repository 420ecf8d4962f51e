package keyfile

import (
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/catflap/catflap/config/value"
)

// UsesPath is where Catflap notes when keys were used last: beside the file of keys,
// which it never writes itself.
func UsesPath(keys string) string { return keys + ".used" }

// Uses is when keys were used last, by their id.
type Uses map[string]time.Time

type writtenUses struct {
	Version  int  `json:"version"`
	LastUsed Uses `json:"last_used"`
}

// ReadUses reads what has been noted of a file of keys. It is empty where nothing can
// be read: it decides nothing.
func ReadUses(keys string) (Uses, error) {
	content, err := value.ReadFile(UsesPath(keys), MaxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return Uses{}, nil
	}
	var w writtenUses
	if err == nil {
		err = json.Unmarshal(content, &w)
	}
	if err != nil || w.LastUsed == nil {
		return Uses{}, err
	}
	return w.LastUsed, nil
}

// Save adds to what has been noted before, and forgets the keys that are not known.
// Several Catflaps may do so with one file: the latest use of each key stays.
func (u Uses) Save(keys string, known func(id string) bool) error {
	all, _ := ReadUses(keys) // what can't be read is replaced
	for id, at := range u {
		if at.After(all[id]) {
			all[id] = at
		}
	}
	for id := range all {
		if !known(id) {
			delete(all, id)
		}
	}
	content, err := json.MarshalIndent(writtenUses{1, all}, "", "  ")
	if err != nil {
		return err
	}
	return replace(UsesPath(keys), append(content, '\n'))
}
