package cat

import "strings"

type whose uint8

const (
	own       whose = iota // kept apart by user id: the base set counts
	ownWhole               // the same, although the Cat asks for more than its base set
	everyones              // shows or changes everybody's: the permission must be named
	adminOnly              // for holders of admin alone
	pooled                 // own, but for the documents, which are one pool: everyones where they are private
)

type row struct {
	methods string // comma list
	path    string // {x} is one segment, ** the rest; a slash at the end is the Cat's own spelling
	needs   string
	whose   whose
	panel   bool
}

// ConversationPath is where the Cat keeps what somebody and it have said: the caller's
// own, whatever the credential.
const ConversationPath = "/memory/conversation_history"

// v1 is the table of the Cat 1.9.2, with three decisions of Catflap's own.
// Endpoints which the Cat lets a base user call although they show everybody's
// data are marked everyones. What the Cat serves without a credential (its login,
// its documentation) is for admin. Fetching a URL needs a permission of its own.
var v1 = [...]row{
	{"GET", "/", "STATUS:READ", own, false},
	{"POST", "/message", "CONVERSATION:WRITE", own, false},

	{"GET", "/memory/conversation_history", "MEMORY:READ", own, false},
	{"DELETE", "/memory/conversation_history", "MEMORY:DELETE", ownWhole, false},
	{"GET,POST", "/memory/recall", "MEMORY:READ", pooled, false}, // episodic memory is filtered by person, the rest is not
	{"GET", "/memory/collections", "MEMORY:READ", everyones, false},
	{"DELETE", "/memory/collections", "MEMORY:DELETE", everyones, false},
	{"DELETE", "/memory/collections/{collection}", "MEMORY:DELETE", everyones, false},
	{"GET", "/memory/collections/{collection}/points", "MEMORY:READ", everyones, false},
	{"POST", "/memory/collections/{collection}/points", "MEMORY:WRITE", everyones, false},
	{"DELETE", "/memory/collections/{collection}/points", "MEMORY:DELETE", everyones, false},
	{"PUT", "/memory/collections/{collection}/points/{id}", "MEMORY:EDIT", everyones, false},
	{"DELETE", "/memory/collections/{collection}/points/{id}", "MEMORY:DELETE", everyones, false},

	{"POST", "/rabbithole/", "UPLOAD:WRITE", everyones, false},
	{"POST", "/rabbithole/batch", "UPLOAD:WRITE", everyones, false},
	{"POST", "/rabbithole/web", "UPLOAD_WEB:WRITE", everyones, false},
	{"POST", "/rabbithole/memory", "MEMORY:WRITE", everyones, false},
	{"GET", "/rabbithole/allowed-mimetypes", "UPLOAD:WRITE", everyones, false},

	{"GET", "/plugins/", "PLUGINS:LIST", everyones, false},
	{"POST", "/plugins/upload", "PLUGINS:WRITE", everyones, false},
	{"POST", "/plugins/upload/registry", "PLUGINS:WRITE", everyones, false},
	{"PUT", "/plugins/toggle/{id}", "PLUGINS:WRITE", everyones, false},
	{"GET", "/plugins/settings", "PLUGINS:READ", everyones, false},
	{"GET", "/plugins/settings/{id}", "PLUGINS:READ", everyones, false},
	{"PUT", "/plugins/settings/{id}", "PLUGINS:EDIT", everyones, false},
	{"GET", "/plugins/{id}", "PLUGINS:READ", everyones, false},
	{"DELETE", "/plugins/{id}", "PLUGINS:DELETE", everyones, false},

	{"GET", "/settings/", "SETTINGS:LIST", everyones, false},
	{"POST", "/settings/", "SETTINGS:WRITE", everyones, false},
	{"GET", "/settings/{id}", "SETTINGS:READ", everyones, false},
	{"PUT", "/settings/{id}", "SETTINGS:EDIT", everyones, false},
	{"DELETE", "/settings/{id}", "SETTINGS:DELETE", everyones, false},

	{"GET", "/llm/settings", "LLM:LIST", everyones, false},
	{"GET", "/llm/settings/{name}", "LLM:READ", everyones, false},
	{"PUT", "/llm/settings/{name}", "LLM:EDIT", everyones, false},
	{"GET", "/embedder/settings", "EMBEDDER:LIST", everyones, false},
	{"GET", "/embedder/settings/{name}", "EMBEDDER:READ", everyones, false},
	{"PUT", "/embedder/settings/{name}", "EMBEDDER:EDIT", everyones, false},
	{"GET", "/auth_handler/settings", "AUTH_HANDLER:LIST", everyones, false},
	{"GET", "/auth_handler/settings/{name}", "AUTH_HANDLER:READ", everyones, false},
	{"PUT", "/auth_handler/settings/{name}", "AUTH_HANDLER:EDIT", everyones, false},

	{"GET", "/users/", "USERS:LIST", everyones, false},
	{"POST", "/users/", "USERS:WRITE", everyones, false},
	{"GET", "/users/{id}", "USERS:READ", everyones, false},
	{"PUT", "/users/{id}", "USERS:EDIT", everyones, false},
	{"DELETE", "/users/{id}", "USERS:DELETE", everyones, false},
	{"GET", "/auth/available-permissions", "USERS:LIST", everyones, false},

	{"GET,POST", "/auth/login", "", adminOnly, false},
	{"POST", "/auth/token", "", adminOnly, false},
	{"GET", "/admin/", "", adminOnly, true},
	{"GET", "/admin/**", "", adminOnly, true},
	{"GET", "/docs", "", adminOnly, false},
	{"GET", "/openapi.json", "", adminOnly, false},
	{"GET", "/static/**", "STATIC:READ", own, false},
	{"GET", "/core-static/**", "STATIC:READ", own, false},
}

// forPlugins reports an endpoint whose hooks are given the person who calls it.
func forPlugins(path string) bool {
	return path == "/message" || strings.HasPrefix(path, "/rabbithole/")
}

// uploads are the endpoints of v1 whose body is a file.
var uploads = [...]string{"POST /rabbithole/", "POST /rabbithole/batch", "POST /rabbithole/memory", "POST /plugins/upload"}
