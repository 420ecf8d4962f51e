package standin

import "strings"

// caller is who the Cat believes is there.
type caller struct {
	user        string
	permissions Permissions
}

// credential is a key or a token and where it came from.
type credential struct {
	value string
	sent  bool
	via   string
}

// admitByHeader asks an HTTP request for its credential. The user id is believed
// when the credential is a key.
func (c *Cat) admitByHeader(e *exchange, n need) bool {
	user, ok := e.header("user_id")
	if !ok {
		user = "user"
	}
	return c.admit(e, user, e.bearer(), c.options.APIKey, FullPermissions(), n)
}

// admitByCookie is the door of the admin pages.
func (c *Cat) admitByCookie(e *exchange, n need) bool {
	token := e.cookie("ccat_user_token")
	if token == "" {
		return false
	}
	return c.admit(e, "user", credential{token, true, "cookie"}, c.options.APIKey, FullPermissions(), n)
}

// admitByQuery is the door of the sockets: only ?token= counts, and the user id is
// the path's.
func (c *Cat) admitByQuery(e *exchange, user string) bool {
	token, sent := lastValue(e.r.URL.RawQuery, "token")
	return c.admit(e, user, credential{token, sent, "query"}, c.options.APIKeyWS, BasePermissions(),
		need{"CONVERSATION", "WRITE"})
}

// admit is the Cat's rule. What looks like a JWT is judged as one, with the user
// and the account that it names. Anything else is compared with the key of this
// protocol, and a key that is not set equals a credential that was not sent. With
// neither key set everybody may do everything.
func (c *Cat) admit(e *exchange, user string, cred credential, key string, power Permissions, n need) bool {
	c.seen.update(e.seen, func(r *Request) { r.Credential, r.CredentialVia = cred.value, cred.via })
	if claims, ok := peek(cred.value); ok {
		who, ok := c.judge(cred.value, claims)
		if !ok || !who.permissions.allow(n) {
			return false
		}
		return c.enterAs(e, who)
	}
	if c.options.APIKey == "" && c.options.APIKeyWS == "" {
		return c.enterAs(e, caller{user, FullPermissions()})
	}
	if cred.sent != (key != "") || cred.value != key {
		return false
	}
	return c.enterAs(e, caller{user, power})
}

func (c *Cat) enterAs(e *exchange, who caller) bool {
	e.caller = who
	c.seen.update(e.seen, func(r *Request) { r.User, r.Permissions, r.Admitted = who.user, who.permissions, true })
	e.session = c.recallSession(who.user)
	return true
}

// bearer is the credential of an HTTP request. Authorization wins over
// access_token unless it is empty; "Bearer " is cut out wherever it stands, and
// nothing else is.
func (e *exchange) bearer() credential {
	if v, ok := e.header("Authorization"); ok {
		if v = strings.ReplaceAll(v, "Bearer ", ""); v != "" {
			return credential{v, true, "authorization"}
		}
	}
	if v, ok := e.header("access_token"); ok && v != "" {
		return credential{v, true, "access_token"}
	}
	return credential{}
}

// cookie is the last cookie of that name in the first Cookie header.
func (e *exchange) cookie(name string) string {
	line, _ := e.header("Cookie")
	value := ""
	for pair := range strings.SplitSeq(line, ";") {
		k, v, ok := strings.Cut(pair, "=")
		if ok && strings.TrimSpace(k) == name {
			value = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return value
}
