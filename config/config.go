// Package config reads the one configuration file.
//
// The rule it guards: what the file does not say clearly does not start. An
// unknown field, a value of the wrong kind, a missing audience or two handlers
// that would share people are errors, all reported at once, each with its line,
// its path and what to write instead. Validation is pure: it opens no file but
// the configuration and asks no network. Secrets are never in the file, only
// their names (package config/value). An option that weakens security begins
// with insecure_.
//
// The comments of the types below are the reference: docs/configuration.md and
// the JSON Schema are made from them.
package config

import "github.com/catflap/catflap/config/value"

// Config is the whole configuration file.
type Config struct {
	// The version of this format. It must be 1.
	Version int `yaml:"version" required:"true" enum:"1" example:"1"`
	// The address that people reach, host:port. An empty host means every interface.
	Listen string `yaml:"listen" default:"127.0.0.1:8080"`
	// What browsers see: scheme, host and port only. Required where a handler signs
	// people in (then https, or http on localhost), and behind a proxy that ends TLS
	// and is not in trusted_proxies. Without it our own origin is the scheme and Host
	// of each request.
	PublicURL string `yaml:"public_url" example:"https://chat.example.com"`
	// Certificate and key for TLS on listen. Without it the listener speaks plain HTTP.
	TLS *TLS `yaml:"tls" example:"{cert_file: tls.crt, key_file: tls.key}"`
	// How long browsers that came by https come by nothing else (HSTS); 0 says nothing.
	// With tls, or a public_url of https. While it runs, plain HTTP is out of their
	// reach: begin with 24h, and then write 8760h.
	HSTS value.Duration `yaml:"hsts" default:"0s" example:"8760h"`
	// The address of health, readiness, metrics and reload. It must not be reachable
	// for the public. `off` closes it.
	AdminListen string `yaml:"admin_listen" default:"127.0.0.1:9090"`
	// Names by which the admin listener may be asked, beside IP addresses, localhost and
	// the name in admin_listen. Any other is refused (DNS rebinding).
	AdminHosts []string `yaml:"admin_hosts" example:"[catflap-admin.internal]"`
	// The addresses (CIDR) of front proxies whose X-Forwarded-For, -Proto and -Host
	// are believed. Everybody else's are thrown away.
	TrustedProxies []string `yaml:"trusted_proxies" example:"[10.0.0.0/8]"`
	// Further origins whose pages may call, for CORS and WebSocket alike: scheme,
	// host and port, exactly as browsers write them. Those of packaged apps and
	// extensions, too: capacitor://localhost, tauri://localhost, app://obsidian.md, and
	// http://localhost for Capacitor on Android. Our own is always allowed.
	Origins []string `yaml:"origins" example:"[https://app.example.com]"`
	// The Cat behind.
	Cat Cat `yaml:"cat" required:"true" example:"{url: http://127.0.0.1:1865, ...}"`
	// Who may prove an identity, asked in this order.
	Handlers []Handler `yaml:"handlers" required:"true" example:"[{name: staff, type: jwt, ...}]"`
	// Who may do what.
	Permissions Permissions `yaml:"permissions"`
	// Signing in in a browser: how long it holds.
	Sessions Sessions `yaml:"sessions"`
	// Catflap's own pages.
	Pages Pages `yaml:"pages"`
	// Live chat.
	WebSocket WebSocket `yaml:"websocket"`
	// Bounds on what a client can take.
	Limits Limits `yaml:"limits"`
	// Logs and audit.
	Log Log `yaml:"log"`

	places   *places // where in the file each field stands
	warnings []Problem

	defaultSecret func(secret []byte) bool // of Known
}

// Cat is the upstream server and how Catflap is known there.
type Cat struct {
	// The Cat's address: scheme, host and port only. Required, unless there are urls.
	URL string `yaml:"url" example:"http://127.0.0.1:1865"`
	// The addresses of several Cats, instead of url. Each person always goes to the
	// same one, whose memories are theirs; the order means nothing. All have the same
	// keys, or the same secret and accounts.
	URLs []string `yaml:"urls" example:"[http://cat-0:1865, http://cat-1:1865]"`
	// What the people of a Cat that is down do. wait: get 503 until it is back. next:
	// go to another Cat, where their memories are not, and come back when their own has
	// been up for 30s. With urls.
	Failover string `yaml:"failover" default:"wait" enum:"wait,next"`
	// The authorities that vouch for the certificate of a Cat behind https, PEM, instead
	// of the system's.
	CAFile value.Path `yaml:"ca_file" example:"cat-ca.pem"`
	// The Cat's generation. v2 is not supported yet.
	Contract string `yaml:"contract" default:"v1" enum:"v1,v2"`
	// How Catflap proves itself to the Cat. minted: with a short-lived Cat JWT of a
	// service account that has no more rights than the person, so that the Cat and its
	// plugins refuse too. api_key: with the Cat's own keys, which mean full rights; with
	// jwt_secret and service_accounts beside them, a minted JWT goes with what plugins
	// act on (turns, uploads and their own endpoints). With the keys alone, plugins
	// believe that each person may do everything over HTTP.
	Credential string `yaml:"credential" default:"api_key" enum:"api_key,minted"`
	// The Cat's CCAT_API_KEY. Required with credential: api_key.
	APIKey value.Secret `yaml:"api_key" example:"{env: CCAT_API_KEY}"`
	// The Cat's CCAT_API_KEY_WS. Required with credential: api_key.
	APIKeyWS value.Secret `yaml:"api_key_ws" example:"{env: CCAT_API_KEY_WS}"`
	// The Cat's CCAT_JWT_SECRET. Required with credential: minted, and with
	// service_accounts.
	JWTSecret value.Secret `yaml:"jwt_secret" example:"{env: CCAT_JWT_SECRET}"`
	// The Cat's own users that minted tokens stand for. The one is used that covers
	// the request, holds nothing that the person was not granted, and of these holds
	// most; of equals the first. `catflap cat-accounts create` makes them.
	ServiceAccounts []ServiceAccount `yaml:"service_accounts"`
	// Whose the documents in the Cat's declarative memory are. shared: everybody's, as
	// the Cat has it. private: a plugin at the Cat keeps them apart (docs/documents.md),
	// so that /memory/recall, which passes by the plugin, needs MEMORY:READ by name.
	Documents string `yaml:"documents" default:"shared" enum:"private,shared"`
	// Serve although the Cat answers without a credential. Only for a Cat that
	// nobody but Catflap can reach.
	InsecureOpenCat bool `yaml:"insecure_open_cat" default:"false"`
	// How long to wait for a connection to the Cat.
	ConnectTimeout value.Duration `yaml:"connect_timeout" default:"5s"`
	// How long to wait for the first byte of an answer. A turn of a slow model over
	// POST /message needs all of its time before the first byte.
	ResponseTimeout value.Duration `yaml:"response_timeout" default:"5m"`
	// Turns under way at one Cat at the same time, over sockets and POST /message; more
	// wait, by turns of persons, for websocket.deliver_within. One person has half of
	// them at most. 0 means any number. For the Cat's built-in vector store, which
	// breaks when people talk at the same time: write 1. Each of several Catflaps counts
	// its own. With session: shared.
	MaxTurns int `yaml:"max_turns" default:"0"`
	// Names of cookies that a plugin needs; every other cookie of the client stays here.
	ForwardCookies []string `yaml:"forward_cookies"`
	// Names of further request headers that a plugin needs. The usual ones pass (see
	// docs/headers.md); every other one of the client stays here.
	ForwardHeaders []string `yaml:"forward_headers" example:"[X-Conversation-Id]"`
	// Names of further headers of a plugin's answers that its clients need. The usual
	// ones pass (see docs/headers.md); every other one stays here.
	AnswerHeaders []string `yaml:"answer_headers" example:"[X-Total-Count]"`
	// Tells plugins more of a person, so that they can believe it (docs/attributes.md).
	// Without it they know the user id alone.
	Attributes *Attributes `yaml:"attributes" example:"{claims: [name, email, groups]}"`
}

// Addresses are the Cat's, or those of all Cats.
func (c Cat) Addresses() []string {
	if c.URL != "" {
		return []string{c.URL}
	}
	return c.URLs
}

// ServiceAccount is one of the Cat's own users.
type ServiceAccount struct {
	// The account's id at the Cat: the text itself, or {env: NAME} or {file: PATH}.
	ID AccountID `yaml:"id" required:"true" example:"{env: CAT_CHAT_ACCOUNT_ID}"`
	// What the account may do at the Cat, as RESOURCE:ACTION, RESOURCE:* or *.
	Permissions []string `yaml:"permissions" required:"true" example:"[\"STATUS:READ\", \"CONVERSATION:*\"]"`
}

// AccountID is an account's id, which is no secret, or where it is kept.
type AccountID struct {
	Literal string
	From    value.Secret
}

// Handler is one authentication handler: the fields that all have. The fields of
// its type stand beside them.
type Handler struct {
	// The handler's name, in grants, logs and metrics: lower-case letters, digits and
	// -, not first, at most 31. Unique.
	Name string `yaml:"name" required:"true" example:"staff"`
	// Written before each user id (staff:alice). The default is the name, and for the
	// type catuser "". That writes bare ids and is allowed for one issuer only; beside
	// the bare ids of the Cat's own users others have an alias. Changing it renames its
	// people at the Cat: their memories stay with the old names.
	Alias *string `yaml:"alias"`
	// Have a user made at the Cat for each of this handler's people, with the permissions
	// that they have here: the panel shows them, plugins see each as a user of their own,
	// and who is deleted there stays out. Needs a handler of the type catuser.
	Provision *bool `yaml:"provision"`
	// The handler's type. It says which further fields the handler has.
	Type string `yaml:"type" required:"true" example:"jwt"`
	// What this handler's people may do, instead of `everyone` and every grant; deny
	// still applies. An empty list allows nothing.
	Permissions []string `yaml:"permissions"`
	// Settings is the typed configuration of the handler's type.
	Settings HandlerSettings `yaml:"-"`
}

// HandlerSettings is what the registry of handler types yields. The optional
// abilities IdentitySource() string, BareIDs() bool, YieldsGroups() bool, SignsIn() bool,
// CatSecret() (field string, secret value.Secret),
// SignInTitle() string, PeopleOf() string, CarriedBy() (headers, cookies []string), TakesAllCarried() bool, HiddenBehind([]any) int,
// CertificatesOf() (people, proxies bool), AuthorityFingerprints() []string, TakesGuests()
// bool, TakesBearers() bool with TakesAllBearers() bool, Doubts() error, Inspect() error,
// InspectDoubts() error, ListKeys(func(id, alias string, permissions []string)) error,
// NeedsTickets() bool, OnlyOne() bool and OwnPermissions() string are used where a type has
// them.
type HandlerSettings interface{ Validate() error }

// HandlerTypes maps the name of a handler type to a new, empty configuration of it.
type HandlerTypes map[string]func() HandlerSettings

// Permissions says who may do what. A permission is RESOURCE:ACTION
// (MEMORY:READ), RESOURCE:*, * (each by name), admin (everything at the Cat,
// unknown endpoints included), base (the Cat's base set, own data only), or the
// name of a set.
type Permissions struct {
	// What each signed-in person may do.
	Everyone []string `yaml:"everyone" example:"[base]"`
	// Named sets of permissions, to be used by name wherever a permission stands. A
	// set may hold other sets.
	Sets map[string][]string `yaml:"sets" example:"{readers: [base, \"MEMORY:READ\"]}"`
	// What some may do as well.
	Grants []Grant `yaml:"grants"`
	// Endpoints that need no user: method and path as in endpoints.match. They are
	// forwarded as nobody and without any credential.
	Public []string `yaml:"public" example:"[\"GET /static/**\"]"`
	// Endpoints of plugins, which are otherwise for holders of admin alone.
	Endpoints []Endpoint `yaml:"endpoints"`
}

// Grant gives permissions to the people who meet each condition that is written.
type Grant struct {
	// The handlers whose people can meet this grant; without it, every handler's.
	// Required for a grant by groups where more than one handler yields groups, and
	// for a grant by claims where there is more than one handler: what one provider
	// says must not grant for another's people.
	From []string `yaml:"from" example:"[staff]"`
	// Any of these groups, compared exactly.
	Groups []string `yaml:"groups" example:"[cat-admins]"`
	// Claims by their path, each with any of these values, compared exactly.
	Claims map[string][]string `yaml:"claims" example:"{realm_access.roles: [cat-admin]}"`
	// Any of these user ids, as the Cat sees them.
	Users []string `yaml:"users" example:"[\"staff:alice\"]"`
	// What they may do.
	Allow []string `yaml:"allow" example:"[\"UPLOAD:WRITE\"]"`
	// What they may not do, even where another grant allows it.
	Deny []string `yaml:"deny"`
}

// Endpoint names one endpoint of a plugin and what it needs.
type Endpoint struct {
	// Method and path. In the path, * stands for one segment and ** at the end for the
	// rest; the method may be *.
	Match string `yaml:"match" required:"true" example:"GET /custom/report"`
	// One permission as RESOURCE:ACTION, or admin, or everyone (each signed-in person, no
	// guest).
	Needs string `yaml:"needs" required:"true" example:"CONVERSATION:READ"`
	// The endpoint shows and changes the caller's own data only, so that base is
	// enough where it holds the permission.
	Own bool `yaml:"own" default:"false"`
}

// WebSocket bounds and shapes live chat.
type WebSocket struct {
	// shared: one socket at the Cat for each person, shared by their clients.
	// separate: one socket at the Cat for each client, for a Cat or a plugin that keeps
	// them apart; the Cat 1 speaks to the newest of them only.
	Session string `yaml:"session" default:"shared" enum:"shared,separate"`
	// Take a token from ?token= of the handshake, where the stock clients put it.
	QueryToken bool `yaml:"query_token" default:"true"`
	// Accept the handshake of a browser that is refused, and close the socket at once
	// with 4401 or 4403 and a reason, since JavaScript can't see the status of a
	// refused handshake.
	VisibleRefusals bool `yaml:"visible_refusals" default:"false"`
	// How long the socket at the Cat stays when its last client has gone; 0 closes it
	// at once, and a reload of the page may then lose an answer. With session: shared.
	Linger value.Duration `yaml:"linger" default:"30s"`
	// How long clients wait for a Cat that has gone before they are closed with 1013.
	// With session: shared.
	ReconnectFor value.Duration `yaml:"reconnect_for" default:"60s"`
	// How long a message waits for a Cat that has gone, before its sender is told that
	// it was not delivered. The Cat 1 takes up to 30 s to start. Where reconnect_for is
	// shorter, it ends the waiting. With session: shared.
	DeliverWithin value.Duration `yaml:"deliver_within" default:"45s"`
	// How often a client is pinged; one that stays silent for two of these is closed.
	Ping value.Duration `yaml:"ping" default:"30s"`
	// The largest message to the Cat. The Cat itself takes 16MiB.
	MaxMessage value.Size `yaml:"max_message" default:"16MiB"`
	// The largest message of the Cat's, which has no limit itself. With session: shared.
	MaxReply value.Size `yaml:"max_reply" default:"16MiB"`
	// How long a message may take to come whole. It has a second more for each 64KiB
	// that has come.
	MessageTimeout value.Duration `yaml:"message_timeout" default:"60s"`
	// Messages of one client in a second; it may be ahead by four seconds. One that
	// comes faster is refused with an error frame; 0 means any number.
	MessageRate int `yaml:"message_rate" default:"50"`
	// Bytes that may wait for one client while others of the same person are ahead;
	// one that is further behind is closed with 1013. With session: shared.
	MaxQueue value.Size `yaml:"max_queue" default:"4MiB"`
	// Messages that may wait likewise.
	MaxQueueMessages int `yaml:"max_queue_messages" default:"1000"`
	// Bytes of messages in memory, of all persons together; what clients send may fill
	// three quarters. Keep it below half of the memory that the process has.
	MaxHeld value.Size `yaml:"max_held" default:"96MiB"`
	// Bytes likewise of one person: half of max_held at most. Three quarters of it must
	// take max_message, and all of it max_reply.
	MaxHeldPerUser value.Size `yaml:"max_held_per_user" default:"24MiB"`
	// Sockets in all.
	MaxSockets int `yaml:"max_sockets" default:"10000"`
	// Sockets of one person.
	MaxSocketsPerUser int `yaml:"max_sockets_per_user" default:"32"`
}
