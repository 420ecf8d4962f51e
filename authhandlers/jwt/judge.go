package jwt

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// judge decides whether claims are those of a token that may be used here and now.
type judge struct {
	audiences   []string // nil: any
	idAudiences []string // of ID tokens, if not nil, instead of audiences and clients
	clients     []string // nil: any
	leeway      time.Duration
	maxLifetime time.Duration
	strictType  bool
	idTokens    bool
}

func newJudge(c *Config) judge {
	j := judge{
		audiences:   slices.Clone(c.Audiences),
		clients:     slices.Clone(c.Clients),
		leeway:      c.Leeway.Std(),
		maxLifetime: c.MaxLifetime.Std(),
		strictType:  c.RequireTyp != "",
		idTokens:    c.AcceptIDTokens,
	}
	if c.Signer != "" {
		j.clients = nil // they are in the header
	}
	return j
}

// decide returns the moment from which the token is no longer accepted, leeway
// included, and whether it is an ID token, or why it is not accepted now.
func (j *judge) decide(typ string, claims strictjson.Object, now time.Time) (expiry time.Time, isID bool, err error) {
	if err := j.headerType(typ); err != nil {
		return time.Time{}, false, err
	}
	if expiry, err = j.times(claims, now); err != nil {
		return time.Time{}, false, err
	}
	audiences, clients := j.accepted(claims)
	aud, err := audience(claims, audiences)
	if err != nil {
		return time.Time{}, false, err
	}
	if isID, err = j.tokenType(claims); err != nil {
		return time.Time{}, false, err
	}
	return expiry, isID, client(claims, isID, ownClients(audiences, aud), clients)
}

// accepted are the audiences and clients that a token like this must have; nil is any.
func (j *judge) accepted(claims strictjson.Object) (audiences, clients []string) {
	if j.idAudiences != nil {
		if isID, err := j.tokenType(claims); err == nil && isID {
			return j.idAudiences, nil
		}
	}
	return j.audiences, j.clients
}

// ownClients are our client ids, as far as they are configured.
func ownClients(audiences, aud []string) []string {
	if audiences == nil {
		return aud
	}
	return audiences
}

// times checks exp, nbf and iat (RFC 7519 §4.1.4-6, RFC 9068 §2.2).
func (j *judge) times(claims strictjson.Object, now time.Time) (time.Time, error) {
	exp, ok, err := moment(claims, "exp")
	if err == nil && !ok {
		err = invalid("exp is missing")
	}
	if err != nil {
		return time.Time{}, err
	}
	nbf, hasNbf, err := moment(claims, "nbf")
	if err != nil {
		return time.Time{}, err
	}
	iat, hasIat, err := moment(claims, "iat")
	if err != nil {
		return time.Time{}, err
	}
	expiry := exp.Add(j.leeway)
	switch {
	case !now.Before(expiry):
		return time.Time{}, reject(authhandlers.CodeTokenExpired, "the token has expired; get a new one", "%s", Off("exp has passed", now.Sub(exp), j.leeway))
	case hasNbf && nbf.After(now.Add(j.leeway)):
		return time.Time{}, reject(authhandlers.CodeTokenNotYetValid, "the token is not valid yet", "%s", Off("nbf is ahead", nbf.Sub(now), j.leeway))
	case hasIat && iat.After(now.Add(j.leeway)):
		return time.Time{}, reject(authhandlers.CodeTokenNotYetValid, "the token is not valid yet", "%s", Off("iat is ahead", iat.Sub(now), j.leeway))
	case hasIat && iat.After(exp.Add(time.Second)): // a second for the rounding of either
		return time.Time{}, invalid("iat is after exp")
	case !hasIat && j.strictType:
		return time.Time{}, invalid("iat is missing")
	}
	if !hasIat {
		iat = now
	}
	if exp.Sub(iat) > j.maxLifetime {
		return time.Time{}, reject(authhandlers.CodeTokenLifetime, "the token is valid for longer than is accepted here",
			"exp is %s after iat, more than max_lifetime, which is %s", exp.Sub(iat), j.maxLifetime)
	}
	return expiry, nil
}

// moment reads a NumericDate (RFC 7519 §2): seconds, perhaps with a fraction.
func moment(claims strictjson.Object, name string) (t time.Time, ok bool, err error) {
	v, ok := claims.Get(name)
	if !ok {
		return time.Time{}, false, nil
	}
	seconds, ok := v.Number()
	if !ok {
		return time.Time{}, false, invalid(name + " is no number")
	}
	// Beyond this, time.Time arithmetic saturates; nobody means the year 3000.
	if math.Abs(seconds) > 1<<35 {
		if name == "exp" && seconds > 0 {
			return time.Time{}, false, reject(authhandlers.CodeTokenLifetime,
				"the token is valid for longer than is accepted here", "exp is beyond the year 3000")
		}
		return time.Time{}, false, invalid(name + " is out of range")
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true, nil
}

// audience checks aud (RFC 7519 §4.1.3, RFC 9068 §4) and returns its values. Any
// will do if accepted is nil.
func audience(claims strictjson.Object, accepted []string) ([]string, error) {
	v, ok := claims.Get("aud")
	if !ok {
		if accepted == nil {
			return nil, nil
		}
		return nil, reject(authhandlers.CodeWrongAudience, "the token is not meant for this service", "aud is missing; wanted: %s", quoteAll(accepted))
	}
	aud, ok := v.Strings()
	if one, isText := v.Str(); isText {
		aud, ok = []string{one}, true
	}
	if !ok {
		return nil, invalid("aud is neither a string nor an array of strings")
	}
	if accepted != nil && !slices.ContainsFunc(aud, func(a string) bool { return slices.Contains(accepted, a) }) {
		return nil, reject(authhandlers.CodeWrongAudience, "the token is not meant for this service", "aud is %s; wanted: %s", quoteAll(aud), quoteAll(accepted))
	}
	return aud, nil
}

// client checks who the token was made for. An ID token's azp is the client that
// the person signed in to (OpenID Connect Core §2), so it must be one of ours.
func client(claims strictjson.Object, isID bool, own, clients []string) error {
	made, err := madeFor(claims)
	if err != nil {
		return err
	}
	for _, m := range made {
		if clients != nil && !slices.Contains(clients, m.id) {
			return foreignClient(m.claim + " is " + quote(m.id) + ", not one of clients")
		}
		if isID && clients == nil && m.claim == "azp" && !slices.Contains(own, m.id) {
			return foreignClient("azp of an ID token is " + quote(m.id) + ", not one of audiences")
		}
	}
	if clients != nil && len(made) == 0 {
		return foreignClient("none of azp, client_id, cid and appid names the client")
	}
	return nil
}

func foreignClient(why string) error {
	return reject(authhandlers.CodeClientNotAllowed, "the token was made for a client that is not accepted here", "%s", why)
}

func invalid(problem string) error {
	return reject(authhandlers.CodeInvalidClaim, "a claim of the token is missing or of the wrong type", "%s", problem)
}

// headerType checks typ: access tokens (RFC 9068 §2.1) and those of issuers that
// don't say more than JWT. What is declared to be something else is not one (RFC
// 8725 §3.11).
func (j *judge) headerType(typ string) error {
	kind := strings.TrimPrefix(strings.ToLower(typ), "application/")
	switch {
	case kind == "at+jwt", !j.strictType && (typ == "" || kind == "jwt"):
		return nil
	}
	return wrongType("this is no access token", "typ of the header is %s", quote(typ))
}

func wrongType(hint, format string, args ...any) error {
	return reject(authhandlers.CodeWrongTokenType, hint, format, args...)
}
