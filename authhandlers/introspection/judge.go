package introspection

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// judge decides whether an answer is that of a token which may be used here and now.
type judge struct {
	issuer    string
	audiences []string // nil: any
	clients   []string // nil: any
	own       string   // Catflap's own client
	scopes    []string
	leeway    time.Duration
	typed     bool // token_type must be there
	now       func() time.Time
	reader    *jwt.Reader
}

// person is the one that an answer (RFC 7662 §2.2) names. A *authhandlers.Rejection is about the
// token; any other error says that this is no answer.
func (j *judge) person(answer strictjson.Object) (*authhandlers.AuthUserInfo, error) {
	v, _ := answer.Get("active")
	active, ok := v.Bool()
	switch {
	case !ok:
		return nil, errors.New("the issuer's answer does not say true or false in active")
	case !active:
		return nil, authhandlers.Reject(authhandlers.CodeTokenInactive, "the token is not active; get a new one", "its issuer says that it is not active")
	}
	if err := j.tokenType(answer); err != nil {
		return nil, err
	}
	expiry, err := j.times(answer)
	if err != nil {
		return nil, err
	}
	for _, check := range []func(strictjson.Object) error{j.checkIssuer, j.checkAudience, j.checkClient, j.checkScopes} {
		if err := check(answer); err != nil {
			return nil, err
		}
	}
	info, err := j.reader.Person(answer)
	if err != nil {
		return nil, err
	}
	info.Expiry = expiry
	if v, ok := answer.Get("sub"); ok {
		if sub, isText := v.Str(); isText && sub != info.Subject {
			info.Sub = &sub
		}
	}
	at, ok, err := jwt.Moment(answer, "iat")
	if ok {
		info.IssuedAt = at.Unix()
	}
	return &info, err
}

// tokenType refuses what is no access token, by the marks that providers leave: token_type
// (RFC 6749 §7.1), Keycloak's typ, token_use of Hydra and Cognito. cnf binds a token to a
// key of its client (RFC 7800), whose proof nobody verifies here.
func (j *judge) tokenType(answer strictjson.Object) error {
	if v, ok := answer.Get("cnf"); ok {
		if o, isObject := v.Object(); !isObject || len(o) > 0 {
			return wrongType("the token is bound to a key of its client; a plain bearer token is needed", "cnf binds the token")
		}
	}
	for _, name := range []string{"token_type", "typ", "token_use"} {
		v, ok := answer.Get(name)
		if !ok || v.Text() == "null" {
			if name == "token_type" && j.typed {
				return wrongType("this is no access token", "the answer has no token_type")
			}
			continue
		}
		kind, ok := v.Str()
		if !ok {
			return invalid(name + " is no string")
		}
		if !accessKind(name, strings.ToLower(kind)) {
			return wrongType("this is no access token", "%s is %s", name, jwt.Quote(kind))
		}
	}
	return nil
}

// accessKind reports a kind of access tokens that anybody may show. Kinds that are not
// known may be such in typ and token_use, which no standard defines.
func accessKind(member, kind string) bool {
	if member == "token_type" {
		return kind == "bearer" || kind == "access_token"
	}
	return !slices.Contains([]string{"refresh", "refresh_token", "offline", "id", "id_token", "logout", "dpop", "rt+jwt", "logout+jwt"}, kind)
}

// times checks exp, nbf and iat where they are there, and returns the moment from which
// the token is no longer accepted.
func (j *judge) times(answer strictjson.Object) (expiry time.Time, err error) {
	now := j.now()
	exp, hasExp, err := jwt.Moment(answer, "exp")
	if err != nil {
		return expiry, err
	}
	if hasExp {
		expiry = exp.Add(j.leeway)
		if !now.Before(expiry) {
			return expiry, authhandlers.Reject(authhandlers.CodeTokenExpired, "the token has expired; get a new one", "%s", jwt.Off("exp has passed", now.Sub(exp), j.leeway))
		}
	}
	for _, name := range []string{"nbf", "iat"} {
		at, ok, err := jwt.Moment(answer, name)
		if err != nil {
			return expiry, err
		}
		if ok && at.After(now.Add(j.leeway)) {
			return expiry, authhandlers.Reject(authhandlers.CodeTokenNotYetValid, "the token is not valid yet", "%s", jwt.Off(name+" is ahead", at.Sub(now), j.leeway))
		}
	}
	return expiry, nil
}

func (j *judge) checkIssuer(answer strictjson.Object) error {
	v, ok := answer.Get("iss")
	if !ok {
		return nil
	}
	iss, ok := v.Str()
	switch {
	case !ok:
		return invalid("iss is no string")
	case iss != j.issuer:
		return authhandlers.Reject(authhandlers.CodeWrongIssuer, "the token is another issuer's", "iss is %s", jwt.Quote(iss))
	}
	return nil
}

// checkAudience wants one of the audiences. A token that was given to Catflap's own client
// and has no aud is meant for that client: some issuers write aud only where a resource was
// asked for.
func (j *judge) checkAudience(answer strictjson.Object) error {
	aud, err := jwt.Audiences(answer)
	if err != nil {
		return err
	}
	if _, said := answer.Get("aud"); !said {
		v, _ := answer.Get("client_id")
		if id, ok := v.Str(); ok && id == j.own {
			aud = []string{id}
		}
	}
	if len(j.audiences) == 0 || slices.ContainsFunc(aud, func(a string) bool { return slices.Contains(j.audiences, a) }) {
		return nil
	}
	return authhandlers.Reject(authhandlers.CodeWrongAudience, "the token is not meant for this service", "aud is %s; wanted: %s", jwt.QuoteAll(aud), jwt.QuoteAll(j.audiences))
}

func (j *judge) checkClient(answer strictjson.Object) error {
	v, ok := answer.Get("client_id")
	id, isText := v.Str()
	switch {
	case ok && !isText:
		return invalid("client_id is no string")
	case len(j.clients) == 0 || slices.Contains(j.clients, id):
		return nil
	}
	return authhandlers.Reject(authhandlers.CodeClientNotAllowed, "the token was made for a client that is not accepted here", "client_id is %s, not one of clients", jwt.Quote(id))
}

// checkScopes wants each of the scopes: words of one text, or a list as some providers
// write it.
func (j *judge) checkScopes(answer strictjson.Object) error {
	if len(j.scopes) == 0 {
		return nil
	}
	v, _ := answer.Get("scope")
	has, ok := v.Strings()
	if text, isText := v.Str(); isText {
		has, ok = strings.Fields(text), true
	}
	if !ok && v.Text() != "" {
		return invalid("scope is no string")
	}
	for _, s := range j.scopes {
		if !slices.Contains(has, s) {
			return authhandlers.Reject(authhandlers.CodeScopeMissing, "the token was given without a scope that is needed here", "scope lacks %s", jwt.Quote(s))
		}
	}
	return nil
}

func wrongType(hint, format string, args ...any) error {
	return authhandlers.Reject(authhandlers.CodeWrongTokenType, hint, format, args...)
}

func invalid(problem string) error {
	return authhandlers.Reject(authhandlers.CodeInvalidClaim, "a claim of the token is missing or of the wrong type", "%s", problem)
}
