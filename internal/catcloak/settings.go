package catcloak

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// MaxSettings bounds the settings, in bytes.
const MaxSettings = 1 << 20

// handlerName is what the Cat calls the plugin's settings.
const handlerName = "KeycloakAuthHandlerConfig"

// settings are those of the plugin.
type settings struct {
	ServerURL    string          `json:"server_url"`
	Realm        string          `json:"realm"`
	ClientID     string          `json:"client_id"`
	ClientSecret string          `json:"client_secret"`
	Users        json.RawMessage `json:"user_mapping"`
	Permissions  json.RawMessage `json:"permission_mapping"`

	users       map[string]string
	permissions map[string]json.RawMessage
	unknown     []string
}

// read reads the settings: as they are, or as the Cat's API or its database has them.
func read(data []byte) (*settings, error) {
	if len(data) > MaxSettings {
		return nil, fmt.Errorf("the settings are larger than %d bytes", MaxSettings)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("the settings are empty")
	}
	members, err := object(data)
	if err != nil {
		return nil, err
	}
	found, err := unwrap(members)
	if err != nil {
		return nil, err
	}
	return found.settings()
}

// object reads one JSON object and nothing behind it. The error repeats nothing of it.
func object(data []byte) (members, error) {
	var m members
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&m); err != nil {
		if at, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, fmt.Errorf("the settings are no JSON: something is wrong at byte %d", at.Offset)
		}
		return nil, errors.New("the settings are no JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the settings' JSON object")
	}
	if m == nil {
		return nil, errors.New("the settings are no JSON object")
	}
	return m, nil
}

type members map[string]json.RawMessage

// unwrap finds the settings within what the Cat's API answers: one handler's, or a list.
func unwrap(m members) (members, error) {
	if _, bare := m["server_url"]; bare {
		return m, nil
	}
	one := func(m members) (members, bool) {
		var name string
		var value members
		ok := json.Unmarshal(m["name"], &name) == nil && name == handlerName && json.Unmarshal(m["value"], &value) == nil && len(value) > 0
		return value, ok
	}
	if value, ok := one(m); ok {
		return value, nil
	}
	var list []members
	if json.Unmarshal(m["settings"], &list) == nil {
		for _, m := range list {
			if value, ok := one(m); ok {
				return value, nil
			}
		}
	}
	return nil, errors.New("these are no settings of Catcloak: there is no server_url, and no value of " + handlerName)
}

func (m members) settings() (*settings, error) {
	s := &settings{}
	for name, to := range map[string]any{
		"server_url": &s.ServerURL, "realm": &s.Realm, "client_id": &s.ClientID, "client_secret": &s.ClientSecret, "user_mapping": &s.Users, "permission_mapping": &s.Permissions,
	} {
		value, given := m[name]
		switch {
		case !given && name == "client_secret", !given && name == "user_mapping":
		case !given && name == "permission_mapping":
			return nil, errors.New(`permission_mapping is missing: write "permission_mapping": {} if everybody of the realm may chat`)
		case !given:
			return nil, fmt.Errorf("%s is missing", name)
		case json.Unmarshal(value, to) != nil:
			return nil, fmt.Errorf("%s is no text", name)
		}
		delete(m, name)
	}
	s.unknown = slices.Sorted(maps.Keys(m))
	for name, value := range map[string]string{"server_url": s.ServerURL, "realm": s.Realm, "client_id": s.ClientID} {
		if value == "" {
			return nil, fmt.Errorf("%s is empty", name)
		}
	}
	if err := mapping("user_mapping", s.Users, &s.users); err != nil {
		return nil, err
	}
	return s, mapping("permission_mapping", s.Permissions, &s.permissions)
}

// mapping reads a mapping: an object, or a text that holds one, as a form's field does.
func mapping[V any](name string, value json.RawMessage, to *map[string]V) error {
	var text string
	if json.Unmarshal(value, &text) == nil && text != "" {
		value = json.RawMessage(text)
	}
	if len(value) == 0 || string(value) == "null" || string(value) == `""` {
		return nil
	}
	if json.Unmarshal(value, to) != nil {
		return fmt.Errorf("%s is no JSON object of the form that Catcloak takes", name)
	}
	return nil
}
