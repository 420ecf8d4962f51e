package standin

import (
	"net/http"
	"slices"
	"strings"
)

// plugin is one installed plugin. It runs nothing here.
type plugin struct {
	id, name, description string
	active                bool
	settings              map[string]any
}

func freshPlugins() []*plugin {
	return []*plugin{
		{"core_plugin", "Core CCat", "The core Cat plugin used to define default hooks and tools.", true, map[string]any{}},
		{"echo", "Echo", "Answers without a model.", true, map[string]any{}},
	}
}

func (p *plugin) manifest() object {
	return object{
		{"id", p.id}, {"name", p.name}, {"description", p.description}, {"author_name", ""}, {"author_url", ""},
		{"plugin_url", ""}, {"tags", ""}, {"thumb", ""}, {"version", "0.0.1"}, {"min_cat_version", ""},
		{"max_cat_version", ""}, {"active", p.active}, {"upgrade", nil}, {"hooks", []any{}}, {"tools", []any{}},
		{"endpoints", []any{}}, {"forms", []any{}},
	}
}

// onPlugin runs do on the plugin that the path names, or answers 404.
func (c *Cat) onPlugin(e *exchange, missing string, do func(*plugin) object) {
	c.mu.Lock()
	i := slices.IndexFunc(c.plugins, func(p *plugin) bool { return p.id == e.params["id"] })
	var reply object
	if i >= 0 {
		reply = do(c.plugins[i])
	}
	c.mu.Unlock()
	if i < 0 {
		e.wrong(http.StatusNotFound, missing)
		return
	}
	e.json(http.StatusOK, reply)
}

func (c *Cat) listPlugins(e *exchange) {
	var asked any
	text, sent := lastValue(e.r.URL.RawQuery, "query")
	if sent {
		asked = text
	}
	installed := []object{}
	c.mu.Lock()
	for _, p := range c.plugins {
		if strings.Contains(strings.ToLower(p.id+" "+p.name+" "+p.description), strings.ToLower(text)) {
			installed = append(installed, p.manifest())
		}
	}
	c.mu.Unlock()
	e.json(http.StatusOK, object{
		{"filters", object{{"query", asked}}}, {"installed", installed}, {"registry", []any{}},
	})
}

func (c *Cat) readPlugin(e *exchange) {
	c.onPlugin(e, "Plugin not found", func(p *plugin) object { return object{{"data", p.manifest()}} })
}

func (c *Cat) togglePlugin(e *exchange) {
	c.onPlugin(e, "Plugin not found", func(p *plugin) object {
		p.active = !p.active
		return object{{"info", "Plugin " + p.id + " toggled"}}
	})
}

func (c *Cat) deletePlugin(e *exchange) {
	c.onPlugin(e, "Item not found", func(p *plugin) object {
		c.plugins = slices.DeleteFunc(c.plugins, func(o *plugin) bool { return o == p })
		return object{{"deleted", p.id}}
	})
}

func (c *Cat) listPluginSettings(e *exchange) {
	list := []object{}
	c.mu.Lock()
	for _, p := range c.plugins {
		list = append(list, object{{"name", p.id}, {"value", p.settings}, {"schema", object{}}})
	}
	c.mu.Unlock()
	e.json(http.StatusOK, object{{"settings", list}})
}

func (c *Cat) readPluginSettings(e *exchange) {
	c.onPlugin(e, "Plugin not found", func(p *plugin) object {
		return object{{"name", p.id}, {"value", p.settings}, {"schema", object{}}}
	})
}

func (c *Cat) updatePluginSettings(e *exchange) {
	d, ok := e.dict(map[string]any{"setting_a": "some value", "setting_b": "another value"})
	if !ok {
		return
	}
	c.onPlugin(e, "Plugin not found", func(p *plugin) object {
		p.settings = d
		return object{{"name", p.id}, {"value", d}}
	})
}

func (c *Cat) uploadPlugin(e *exchange) {
	list, _ := e.files("file")
	if len(list) == 0 {
		e.noFile("file")
		return
	}
	f := list[len(list)-1]
	if k := kind(f.name); k != "application/zip" && k != "application/x-tar" {
		e.wrong(http.StatusBadRequest, "MIME type `"+f.contentType+"` not supported. Admitted types: application/zip, application/x-tar")
		return
	}
	c.install(strings.TrimSuffix(strings.TrimSuffix(f.name, ".zip"), ".tar"))
	e.json(http.StatusOK, f.reply("Plugin is being installed asynchronously"))
}

func (c *Cat) uploadRegistryPlugin(e *exchange) {
	d, ok := e.dict(map[string]any{"url": "plugin-repo"})
	if !ok {
		return
	}
	address, _ := d["url"].(string)
	c.install(address[strings.LastIndexByte(address, '/')+1:])
	e.json(http.StatusOK, object{{"url", address}, {"info", "Plugin is being installed asynchronously"}})
}

func (c *Cat) install(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.ContainsFunc(c.plugins, func(p *plugin) bool { return p.id == id }) {
		c.plugins = append(c.plugins, &plugin{id, id, "", true, map[string]any{}})
	}
}
