package standin

// routes is the Cat's endpoints in the order in which it looks at them, each with
// the permission that it needs.
func (c *Cat) routes() []route {
	of := func(resource, verb string) need { return need{resource, verb} }
	table := []route{
		{"GET", "/", byHeader, of("STATUS", "READ"), noBody, c.status},
		{"POST", "/message", byHeader, of("CONVERSATION", "WRITE"), jsonBody, c.message},

		{"POST", "/auth/token", open, need{}, jsonBody, c.token},
		{"GET", "/auth/login", open, need{}, noBody, c.loginPage},
		{"POST", "/auth/login", open, need{}, formBody, c.login},
		{"GET", "/auth/available-permissions", byHeader, of("USERS", "LIST"), noBody, c.availablePermissions},

		{"POST", "/users/", byHeader, of("USERS", "WRITE"), jsonBody, c.createUser},
		{"GET", "/users/", byHeader, of("USERS", "LIST"), noBody, c.listUsers},
		{"GET", "/users/{id}", byHeader, of("USERS", "READ"), noBody, c.readUser},
		{"PUT", "/users/{id}", byHeader, of("USERS", "EDIT"), jsonBody, c.updateUser},
		{"DELETE", "/users/{id}", byHeader, of("USERS", "DELETE"), noBody, c.deleteUser},

		{"GET", "/settings/", byHeader, of("SETTINGS", "LIST"), noBody, c.listSettings},
		{"POST", "/settings/", byHeader, of("SETTINGS", "WRITE"), jsonBody, c.createSetting},
		{"GET", "/settings/{id}", byHeader, of("SETTINGS", "READ"), noBody, c.readSetting},
		{"PUT", "/settings/{id}", byHeader, of("SETTINGS", "EDIT"), jsonBody, c.updateSetting},
		{"DELETE", "/settings/{id}", byHeader, of("SETTINGS", "DELETE"), noBody, c.deleteSetting},

		{"GET", "/plugins/", byHeader, of("PLUGINS", "LIST"), noBody, c.listPlugins},
		{"POST", "/plugins/upload", byHeader, of("PLUGINS", "WRITE"), formBody, c.uploadPlugin},
		{"POST", "/plugins/upload/registry", byHeader, of("PLUGINS", "WRITE"), jsonBody, c.uploadRegistryPlugin},
		{"PUT", "/plugins/toggle/{id}", byHeader, of("PLUGINS", "WRITE"), noBody, c.togglePlugin},
		{"GET", "/plugins/settings", byHeader, of("PLUGINS", "READ"), noBody, c.listPluginSettings},
		{"GET", "/plugins/settings/{id}", byHeader, of("PLUGINS", "READ"), noBody, c.readPluginSettings},
		{"PUT", "/plugins/settings/{id}", byHeader, of("PLUGINS", "EDIT"), jsonBody, c.updatePluginSettings},
		{"GET", "/plugins/{id}", byHeader, of("PLUGINS", "READ"), noBody, c.readPlugin},
		{"DELETE", "/plugins/{id}", byHeader, of("PLUGINS", "DELETE"), noBody, c.deletePlugin},

		{"GET", "/memory/recall", byHeader, of("MEMORY", "READ"), noBody, c.recallByQuery},
		{"POST", "/memory/recall", byHeader, of("MEMORY", "READ"), jsonBody, c.recallByBody},
		{"POST", "/memory/collections/{collection}/points", byHeader, of("MEMORY", "WRITE"), jsonBody, c.createPoint},
		{"DELETE", "/memory/collections/{collection}/points/{id}", byHeader, of("MEMORY", "DELETE"), noBody, c.deletePoint},
		{"DELETE", "/memory/collections/{collection}/points", byHeader, of("MEMORY", "DELETE"), jsonBody, c.deletePoints},
		{"GET", "/memory/collections/{collection}/points", byHeader, of("MEMORY", "READ"), noBody, c.listPoints},
		{"PUT", "/memory/collections/{collection}/points/{id}", byHeader, of("MEMORY", "EDIT"), jsonBody, c.updatePoint},
		{"GET", "/memory/collections", byHeader, of("MEMORY", "READ"), noBody, c.listCollections},
		{"DELETE", "/memory/collections", byHeader, of("MEMORY", "DELETE"), noBody, c.wipeCollections},
		{"DELETE", "/memory/collections/{collection}", byHeader, of("MEMORY", "DELETE"), noBody, c.wipeCollection},
		{"DELETE", "/memory/conversation_history", byHeader, of("MEMORY", "DELETE"), noBody, c.deleteHistory},
		{"GET", "/memory/conversation_history", byHeader, of("MEMORY", "READ"), noBody, c.readHistory},

		{"POST", "/rabbithole/", byHeader, of("UPLOAD", "WRITE"), formBody, c.uploadFile},
		{"POST", "/rabbithole/batch", byHeader, of("UPLOAD", "WRITE"), formBody, c.uploadFiles},
		{"POST", "/rabbithole/web", byHeader, of("UPLOAD", "WRITE"), jsonBody, c.uploadURL},
		{"POST", "/rabbithole/memory", byHeader, of("MEMORY", "WRITE"), formBody, c.uploadMemory},
		{"GET", "/rabbithole/allowed-mimetypes", byHeader, of("UPLOAD", "WRITE"), noBody, c.allowedMimetypes},

		{"GET", "/admin/", byCookie, of("STATIC", "READ"), noBody, c.adminPage},
		{"GET", "/admin/{page}", byCookie, of("STATIC", "READ"), noBody, c.adminPage},
		{"GET", "/admin/{page}/", byCookie, of("STATIC", "READ"), noBody, c.adminPage},

		{"GET", "/custom/ping", open, need{}, noBody, c.ping},
		{"GET", "/custom/whoami", byHeader, of("CONVERSATION", "READ"), noBody, c.whoami},
		{"GET", "/custom/rights", byHeader, of("CONVERSATION", "READ"), noBody, c.rights},
		{"GET", "/custom/guarded", byHeader, of("SETTINGS", "WRITE"), noBody, c.whoami},
		{"GET", "/custom/stream", open, need{}, noBody, c.stream},
		{"POST", "/custom/echo", open, need{}, noBody, c.echo},

		{"GET, HEAD", "/openapi.json", open, need{}, noBody, c.openAPI},
	}
	for _, f := range factories() {
		table = append(table,
			route{"GET", "/" + f.path + "/settings", byHeader, of(f.resource, "LIST"), noBody, c.listFactory(f)},
			route{"GET", "/" + f.path + "/settings/{name}", byHeader, of(f.resource, "READ"), noBody, c.readFactory(f)},
			route{"PUT", "/" + f.path + "/settings/{name}", byHeader, of(f.resource, "EDIT"), jsonBody, c.updateFactory(f)})
	}
	if c.options.DocumentsPlugin {
		table = append(table, route{"GET", "/custom/catflap-documents", open, need{}, noBody, c.documentsState})
	}
	if !c.options.WithoutDocs {
		table = append(table, route{"GET", "/docs", open, need{}, noBody, c.docs})
	}
	return table
}
