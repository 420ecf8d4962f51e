package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/loopback"
)

const (
	storeMemory = "memory"
	storeRedis  = "redis"
)

func (v *validator) sessions() {
	s := &v.c.Sessions
	switch {
	case s.Store == storeMemory && s.Redis != nil:
		v.bad("sessions.redis", "belongs to store: redis", "write store: redis, or remove it")
	case s.Store == storeRedis && s.Redis == nil:
		v.bad("sessions.redis", "required with store: redis", `write redis: {url: "redis://127.0.0.1:6379/0", password: {env: NAME}}`)
	case s.Store == storeRedis:
		v.redis(s.Redis)
	}
	if s.Store == storeRedis && len(s.Keys) == 0 {
		v.bad("sessions.keys", "required with store: redis, where what is kept is encrypted", "write keys: [{env: NAME}] with a variable that holds at least 32 random bytes, such as `openssl rand -base64 32` makes them; every Catflap on this Redis has the same")
	}
	v.differentSecrets("sessions.keys", s.Keys)
	v.sessionTimes(s)
	between(v, "sessions.max", s.Max, 1, maxCount)
	between(v, "sessions.max_per_user", s.MaxPerUser, 1, maxCount)
	v.afterLogout(s.AfterLogout)
}

func (v *validator) sessionTimes(s *Sessions) {
	const least, most = value.Duration(time.Minute), value.Duration(90 * 24 * time.Hour)
	known := len(v.problems)
	between(v, "sessions.idle", s.Idle, least, most)
	between(v, "sessions.lifetime", s.Lifetime, least, most)
	if len(v.problems) == known && s.Idle > s.Lifetime && !v.unread("sessions.lifetime") {
		v.bad("sessions.idle", fmt.Sprintf("%v is longer than the lifetime, %v", s.Idle, s.Lifetime), fmt.Sprintf("write idle: %v or less, or a longer lifetime", s.Lifetime))
	}
}

func (v *validator) redis(r *Redis) {
	const at = "sessions.redis"
	if problem := redisURLProblem(r.URL); problem != "" {
		v.bad(below(at, "url"), problem, "write redis://host:port/database, or rediss:// with TLS; user name and password stand beside it: username: NAME, password: {env: NAME}")
	}
	if r.Username != "" && r.Password.IsZero() {
		v.bad(below(at, "password"), "required with username", "write password: {env: NAME}")
	}
	if r.TLS == nil {
		return
	}
	tls := below(at, "tls")
	if !strings.HasPrefix(r.URL, "rediss:") {
		v.bad(tls, "belongs to a url with rediss://", "write rediss:// in url, or remove it")
	}
	switch {
	case r.TLS.CertFile != "" && r.TLS.KeyFile == "":
		v.bad(below(tls, "key_file"), "required with cert_file", "name the private key of the certificate")
	case r.TLS.CertFile == "" && r.TLS.KeyFile != "":
		v.bad(below(tls, "cert_file"), "required with key_file", "name the certificate of the private key")
	}
}

var redisDatabase = regexp.MustCompile(`\A(/(0|[1-9][0-9]{0,4})?)?\z`)

// redisURLProblem does not repeat the URL, which may hold a password.
func redisURLProblem(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "is no URL"
	}
	path := u.EscapedPath()
	u.Path, u.RawPath = "", ""
	if problem := bareURL(u.String(), "redis", "rediss"); problem != "" {
		return problem
	}
	if !redisDatabase.MatchString(path) {
		return "has a path that is no number of a database"
	}
	return ""
}

// ownPathProblem says what is wrong with a path that a browser will be sent to.
// It must stay at our own origin however a browser reads it: browsers take \ for
// /, drop tabs and line ends, and read what follows // as a host (WHATWG URL §4.4).
func ownPathProblem(path string) (message, hint string) {
	const example = "write a path such as /goodbye"
	_, err := url.Parse(path)
	switch {
	case path == "":
		return "", ""
	case len(path) > 1024:
		return "is longer than 1024 bytes", example
	case !strings.HasPrefix(path, "/"):
		return quote(path) + " is no path of our own origin", "begin with one /, such as /goodbye"
	case strings.HasPrefix(path, "//"):
		return quote(path) + " names another host", "begin with one /, such as /goodbye"
	case strings.Contains(path, `\`):
		return quote(path) + ` holds a \, which browsers read as /`, example
	case strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f }), err != nil:
		return quote(path) + " holds what an address can't hold", "write spaces and letters beyond ASCII as % and two hexadecimal digits"
	}
	return "", ""
}

// imageOrigin is an origin that nothing can follow in a Content-Security-Policy.
var imageOrigin = regexp.MustCompile(`\Ahttps://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?\z`)

func (v *validator) pages() {
	for i, origin := range v.c.Pages.PanelImages {
		if !imageOrigin.MatchString(origin) {
			v.bad(item("pages.panel_images", i), quote(origin)+" is no https origin", "write scheme and host alone, in lower case, such as https://raw.githubusercontent.com: no path, no pattern")
		}
	}
	v.home(v.c.Pages.Home)
	const most = 60
	title := v.c.Pages.Title
	switch {
	case strings.TrimSpace(title) == "":
		v.bad("pages.title", "is empty", "write a title, or leave the field out")
	case utf8.RuneCountInString(title) > most:
		v.bad("pages.title", fmt.Sprintf("is longer than %d letters", most), "write a shorter one")
	case strings.ContainsFunc(title, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) }):
		v.bad("pages.title", quote(title)+" holds a control character", "write it on one line, with letters, digits and signs alone")
	}
}

// warnSessions finds what has no effect, and a password that would cross a
// network in the clear.
func (v *validator) warnSessions() {
	s := &v.c.Sessions
	if s.Store != storeRedis {
		return
	}
	if v.c.places.has("sessions.max") {
		v.doubt("sessions.max", "has no effect with store: redis", "remove it; Redis has a bound of its own, maxmemory")
	}
	if u, err := url.Parse(s.Redis.URL); err == nil && u.Scheme == "redis" && !loopback.Host(u.Hostname()) && !s.Redis.Password.IsZero() {
		v.doubt("sessions.redis.url", "the password crosses the network in the clear", "write rediss:// and let Redis speak TLS")
	}
}
