package config

import _ "embed"

//go:generate go run ../internal/configdoc/generate

//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft 2020-12) of the file, with the handler
// types that come with Catflap. Editors use it; [Load] says more, and better.
func Schema() string { return schema }
