package signin

import (
	"net/url"
	"strings"
)

// ReturnAddress is ReturnPath for a text that may be a whole address: one of our own
// origin becomes its path, and one of a listed origin stays. An origin must be
// written exactly as it is listed. Everything else becomes "/"; unlisted then is the
// origin of a web address that was meant.
func ReturnAddress(text, public string, listed []string, own func(path string) bool) (address, unlisted string) {
	if rest, ok := below(text, public); ok {
		if keeps(rest, own) {
			return rest, ""
		}
		return root, ""
	}
	for _, origin := range listed {
		if !strings.HasPrefix(origin, "https://") && !strings.HasPrefix(origin, "http://") {
			continue // browsers follow no redirect to an app or an extension
		}
		if rest, ok := below(text, origin); ok && keeps(rest, nobodys) {
			return origin + rest, ""
		}
	}
	if u, err := url.Parse(text); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		return root, u.Scheme + "://" + u.Host
	}
	return ReturnPath(text, own), ""
}

// below cuts the origin off an address. What is left begins with the slash that ends
// the name of the host, so that nothing behind it can name another.
func below(text, origin string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(text, origin)
	switch {
	case !ok || origin == "" || len(text) > maxReturn:
		return "", false
	case rest == "":
		return root, true
	}
	return rest, rest[0] == '/'
}

// keeps reports a path and query that ReturnPath would not change, with a fragment or
// without.
func keeps(rest string, own func(path string) bool) bool {
	path, fragment, _ := strings.Cut(rest, "#")
	return ReturnPath(path, own) == path && plain(fragment)
}

// nobodys is the own of an origin that is not ours.
func nobodys(string) bool { return false }

// unlistedMark has our own page of the way home say that it is not where somebody
// wanted to go back to.
const unlistedMark = "?unlisted=1"

// wayBack is where somebody who begins to sign in goes afterwards: text, or home.
func (s *SignIn) wayBack(text string) string {
	_, unlisted := ReturnAddress(text, s.o.PublicURL, s.o.Origins, s.o.Own)
	if unlisted == "" {
		return s.stillBack(text)
	}
	s.o.Log.Warn("a sign-in does not lead back to where it came from: the origin is not listed in origins", "origin", clip(unlisted), "origins", s.o.Origins)
	if s.Home() == s.o.Prefix+HomeName {
		return s.Home() + unlistedMark
	}
	return s.Home()
}

// stillBack is wayBack without a word in the log. It judges a sealed way back again:
// an origin may have been taken off the list by now.
func (s *SignIn) stillBack(text string) string {
	if text == s.o.Prefix+HomeName+unlistedMark {
		return text
	}
	if address, _ := ReturnAddress(text, s.o.PublicURL, s.o.Origins, s.o.Own); address != root {
		return address
	}
	return s.Home()
}

// HomeName is the name of our own page of the way home, below the prefix.
const HomeName = "home"

// clip bounds what a stranger has written into a line of the log.
func clip(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
