package standin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// setting is one row of the Cat's table of settings, where models' keys are kept
// in the clear too. The rows are guarded by Cat.mu.
type setting struct {
	id, name string
	value    any
	category any
	updated  int64
}

type settingStore struct {
	now  func() time.Time
	rows []*setting
}

func newSettingStore(now func() time.Time) settingStore {
	s := settingStore{now: now}
	s.set("CoreOnlyAuthConfig", "auth_handler_factory", map[string]any{})
	s.set("auth_handler_selected", "auth_handler_factory", map[string]any{"name": "CoreOnlyAuthConfig"})
	return s
}

func (s *settingStore) add(name string, category, value any) *setting {
	row := &setting{newID(), name, value, category, s.now().Unix()}
	s.rows = append(s.rows, row)
	return row
}

// set writes the row of that name.
func (s *settingStore) set(name string, category, value any) {
	if row := s.named(name); row != nil {
		row.value, row.category, row.updated = value, category, s.now().Unix()
		return
	}
	s.add(name, category, value)
}

func (s *settingStore) named(name string) *setting {
	for _, row := range s.rows {
		if row.name == name {
			return row
		}
	}
	return nil
}

func (s *setting) reply() object {
	return object{{"name", s.name}, {"value", s.value}, {"category", s.category},
		{"setting_id", s.id}, {"updated_at", s.updated}}
}

func (c *Cat) listSettings(e *exchange) {
	search, _ := lastValue(e.r.URL.RawQuery, "search")
	list := []object{}
	c.mu.Lock()
	for _, row := range c.settings.rows {
		if strings.HasPrefix(row.name, search) {
			list = append(list, row.reply())
		}
	}
	c.mu.Unlock()
	e.json(http.StatusOK, object{{"settings", list}})
}

// settingFields reads name, value and category out of the body.
func (e *exchange) settingFields() (name string, value, category any, ok bool) {
	s, ok := e.model()
	if !ok {
		return "", nil, nil, false
	}
	name = s.text("name", true)
	switch value = s.fields["value"]; value.(type) {
	case map[string]any, []any:
	case nil:
		s.wrong(problem("missing", "Field required", s.absent, "body", "value"))
	default:
		s.wrong(problem("dict_type", "Input should be a valid dictionary", value, "body", "value", "dict[any,any]"))
		s.wrong(problem("list_type", "Input should be a valid list", value, "body", "value", "list[any]"))
	}
	if s.fields["category"] != nil {
		category = s.text("category", false)
	}
	return name, value, category, s.good(e)
}

func (c *Cat) createSetting(e *exchange) {
	name, value, category, ok := e.settingFields()
	if !ok {
		return
	}
	c.mu.Lock()
	reply := c.settings.add(name, category, value).reply()
	c.mu.Unlock()
	e.json(http.StatusOK, object{{"setting", reply}})
}

// onSetting runs do on the setting that the path names, or answers 404.
func (c *Cat) onSetting(e *exchange, do func(*setting) object) {
	id := e.params["id"]
	c.mu.Lock()
	i := slices.IndexFunc(c.settings.rows, func(s *setting) bool { return s.id == id })
	var reply object
	if i >= 0 {
		reply = do(c.settings.rows[i])
	}
	c.mu.Unlock()
	if i < 0 {
		e.wrong(http.StatusNotFound, "No setting with this id: "+id)
		return
	}
	e.json(http.StatusOK, reply)
}

func (c *Cat) readSetting(e *exchange) {
	c.onSetting(e, func(s *setting) object { return object{{"setting", s.reply()}} })
}

func (c *Cat) updateSetting(e *exchange) {
	name, value, category, ok := e.settingFields()
	if !ok {
		return
	}
	c.onSetting(e, func(s *setting) object {
		s.name, s.value, s.category, s.updated = name, value, category, c.settings.now().Unix()
		return object{{"setting", s.reply()}}
	})
}

func (c *Cat) deleteSetting(e *exchange) {
	c.onSetting(e, func(s *setting) object {
		c.settings.rows = slices.DeleteFunc(c.settings.rows, func(o *setting) bool { return o == s })
		return object{{"deleted", s.id}}
	})
}

// factory is a family of settings of which one is chosen: the language model, the
// embedder, the auth handler.
type factory struct {
	path, resource string
	names          []string
	selected       string // by default
	otherwise      map[string]any
}

func factories() []factory {
	someKey := map[string]any{"openai_api_key": "your-key-here"}
	return []factory{
		{"llm", "LLM", []string{"LLMOpenAIChatConfig", "LLMOllamaConfig", "LLMCustomConfig", "LLMDefaultConfig"}, "", someKey},
		{"embedder", "EMBEDDER", []string{"EmbedderOpenAIConfig", "EmbedderDumbConfig", "EmbedderFakeConfig"}, "EmbedderDumbConfig", someKey},
		{"auth_handler", "AUTH_HANDLER", []string{"CoreOnlyAuthConfig"}, "", nil},
	}
}

// row is one member of a factory as it is shown. The caller holds Cat.mu.
func (c *Cat) row(name string) object {
	var value any = object{}
	if s := c.settings.named(name); s != nil {
		value = s.value
	}
	schema := object{{"title", name}, {"type", "object"}, {"properties", object{}}}
	return object{{"name", name}, {"value", value}, {"schema", schema}}
}

func (c *Cat) listFactory(f factory) func(*exchange) {
	return func(e *exchange) {
		list := []object{}
		var selected any
		if f.selected != "" {
			selected = f.selected
		}
		c.mu.Lock()
		for _, name := range f.names {
			list = append(list, c.row(name))
		}
		if s := c.settings.named(f.path + "_selected"); s != nil {
			if m, ok := s.value.(map[string]any); ok {
				selected = m["name"]
			}
		}
		c.mu.Unlock()
		e.json(http.StatusOK, object{{"settings", list}, {"selected_configuration", selected}})
	}
}

// member is the member that the path names. It reports false when it has answered
// already.
func (f factory) member(e *exchange) (string, bool) {
	name := e.params["name"]
	if !slices.Contains(f.names, name) {
		e.wrong(http.StatusBadRequest, fmt.Sprintf("%s not supported. Must be one of ['%s']", name, strings.Join(f.names, "', '")))
		return "", false
	}
	return name, true
}

func (c *Cat) readFactory(f factory) func(*exchange) {
	return func(e *exchange) {
		name, ok := f.member(e)
		if !ok {
			return
		}
		c.mu.Lock()
		row := c.row(name)
		c.mu.Unlock()
		e.json(http.StatusOK, row)
	}
}

func (c *Cat) updateFactory(f factory) func(*exchange) {
	return func(e *exchange) {
		value, ok := e.dict(f.otherwise)
		if !ok {
			return
		}
		name, ok := f.member(e)
		if !ok {
			return
		}
		c.mu.Lock()
		c.settings.set(name, f.path+"_factory", value)
		c.settings.set(f.path+"_selected", f.path, map[string]any{"name": name})
		c.mu.Unlock()
		e.json(http.StatusOK, object{{"name", name}, {"value", value}})
	}
}
