package apikey

import (
	"errors"
	"net/http"
	"strings"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/proxy/cat"
)

// onBehalf returns the person that a server acts for with its key, or says which rule the
// request does not keep.
func (h *handler) onBehalf(k *key, r *authhandlers.Request) (*authhandlers.AuthUserInfo, error) {
	if why := notAServer(r); why != "" {
		return nil, authhandlers.Reject(authhandlers.CodeAPIKeyPlace, "this API key acts for others: "+why, "the key %s of %q: %s", k.ID, k.Owner, why)
	}
	subject, why := named(r.HTTP.Header)
	if why == "" {
		if _, err := authhandlers.UserID(k.ActsFor, subject); err != nil {
			why = "the value of " + cat.UserIDHeader + " can't be a user id: " + reason(err)
		}
	}
	if why != "" {
		return nil, authhandlers.Reject(authhandlers.CodeUserIDHeader, "this API key acts for others: "+why, "the key %s of %q: %s", k.ID, k.Owner, why)
	}
	return h.person(k, subject), nil
}

// person is somebody that a key acts for. The issuer has the alias in it, so that two
// aliases never share a person, a bound or a logout.
func (h *handler) person(k *key, subject string) *authhandlers.AuthUserInfo {
	return &authhandlers.AuthUserInfo{
		Issuer: h.issuer + issuerMark + k.ActsFor, Subject: subject, Name: subject, Permissions: k.Permissions, Expiry: k.Expires,
	}
}

// issuerMark stands between the handler's issuer and an alias.
const issuerMark = ":"

// ActsFor implements authhandlers.KeyHolder.
func (h *handler) ActsFor(u *authhandlers.AuthUserInfo) string {
	alias, _ := strings.CutPrefix(u.Issuer, h.issuer+issuerMark)
	if alias == u.Issuer {
		return ""
	}
	return alias
}

// notAServer says why a request is none of a server's.
func notAServer(r *authhandlers.Request) string {
	switch {
	case r.Kind == authhandlers.KindWebSocket:
		return "on a WebSocket it is refused; get a ticket for the person from POST /_catflap/ticket, and open the socket with that"
	case r.Credential.Carrier != authhandlers.CarrierAuthorization && r.Credential.Carrier != authhandlers.CarrierLegacyHeader:
		return "send it in Authorization: Bearer, or in " + cat.TokenHeader
	}
	for name := range r.HTTP.Header {
		switch {
		case name == "Origin":
			return "with the header Origin, which browsers send, it is refused; it must never be in a browser"
		case strings.HasPrefix(name, "Sec-Fetch-"):
			return "with a header Sec-Fetch-*, which browsers send, it is refused; it must never be in a browser"
		}
	}
	for _, c := range r.HTTP.Cookies() {
		if strings.Contains(strings.ToLower(c.Name), "catflap") {
			return "with a cookie of Catflap's, which browsers send, it is refused; it must never be in a browser"
		}
	}
	return ""
}

// named returns the value of the one header that names a person. Another spelling, which
// a server behind could read as the same name, counts as one more.
func named(header http.Header) (subject, why string) {
	switch ids, exact := cat.ClaimedUsers(header); {
	case len(ids) == 0:
		return "", "send exactly one header " + cat.UserIDHeader + " with the id of the person; there is none"
	case len(ids) > 1:
		return "", "send exactly one header " + cat.UserIDHeader + " with the id of the person; there are more"
	case !exact:
		return "", "the header is written " + cat.UserIDHeader + ", with an underscore"
	case ids[0] == "":
		return "", "the header " + cat.UserIDHeader + " is empty; send the id of the person"
	default:
		return ids[0], ""
	}
}

// reason says in words what is wrong with a value.
func reason(err error) string {
	of, ok := errors.AsType[*authhandlers.UserIDError](err)
	if !ok {
		return "the alias of the key is none"
	}
	switch of.Reason {
	case "too_long":
		return "it has more than 1024 bytes"
	case "not_unicode", "replacement_character":
		return "it is no UTF-8"
	case "control_character":
		return "it holds a control character"
	}
	return of.Reason
}
