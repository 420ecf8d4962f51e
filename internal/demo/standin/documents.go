package standin

import (
	"net/http"
	"strings"
)

// The plugin of examples/cat-plugin-documents, as far as it shows on the wire: its mark,
// and the filter that it lays over a turn's recall. People have no groups here.
const (
	markKey = "catflap"
	wishKey = "catflap_group"
)

// documentsState is the plugin's own endpoint.
func (c *Cat) documentsState(e *exchange) {
	e.json(http.StatusOK, object{{"marks", markKey}, {"version", 1}})
}

// ownDocuments is what the plugin lets a turn recall.
func ownDocuments(user string) map[string]any {
	return map[string]any{markKey: map[string]any{"owner": user, "folder": "own"}}
}

// mark writes whose a chunk is over whatever the client has sent in its place. False
// means that it is not stored.
func mark(metadata map[string]any, user, document string, chunk, of int, when float64) bool {
	wish := metadata[wishKey]
	delete(metadata, wishKey)
	source, _ := metadata["source"].(string)
	metadata[markKey] = map[string]any{
		"owner": user, "folder": "own", "document": document, "chunk": chunk, "of": of, "source": source, "when": when,
	}
	return wish == nil || wish == ""
}

// chunks are the parts of a text that the Cat stores.
func chunks(text string) []string {
	var list []string
	for chunk := range strings.SplitSeq(text, "\n\n") {
		if chunk = strings.TrimSpace(chunk); len(chunk) > 10 {
			list = append(list, chunk)
		}
	}
	return list
}
