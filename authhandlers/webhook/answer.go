package webhook

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
	"github.com/catflap/catflap/internal/keyset/strictjson"
)

// errNobody is an answer with status 200 that names nobody.
var errNobody = errors.New("the service answered 200 and named nobody; it refuses by 401 or 403")

// reading reads a person from an answer.
type reading struct {
	reader               *jwt.Reader
	users                []strictjson.Path // of which those that are there must agree
	permissions, expires strictjson.Path
}

func newReading(c *Config, env authhandlers.Env) (reading, error) {
	var r reading
	var err error
	if r.reader, err = jwt.NewReader(c.claims(), env, nil); err != nil {
		return r, err
	}
	users := []string{c.UserID}
	if c.UserID == "" {
		users = []string{"user_id", "sub"}
	}
	for _, text := range users {
		p, err := strictjson.ParsePath(text)
		if err != nil {
			return r, err
		}
		r.users = append(r.users, p)
	}
	for to, text := range map[*strictjson.Path]string{&r.permissions: c.Permissions, &r.expires: c.Expires} {
		if text == "" {
			continue
		}
		if *to, err = strictjson.ParsePath(text); err != nil {
			return r, err
		}
	}
	return r, nil
}

// person is the one that an answer names. A *authhandlers.Rejection is about the person; any other
// error says that this is no answer.
func (r *reading) person(answer strictjson.Object, now time.Time) (*authhandlers.AuthUserInfo, error) {
	user, err := r.user(answer)
	if err != nil {
		return nil, err
	}
	claims, err := named(answer, user)
	if err != nil {
		return nil, err
	}
	info, err := r.reader.Person(claims)
	if err != nil {
		return nil, err
	}
	if info.Expiry, err = r.expiry(answer, now); err != nil {
		return nil, err
	}
	if v, ok := answer.At(r.permissions); ok {
		if info.Permissions, ok = v.Strings(); !ok {
			return nil, errors.New("the permissions of the answer are no array of texts")
		}
	} else if !r.permissions.IsZero() {
		info.Permissions = []string{} // the service decides, and has given none
	}
	info.SessionID = ""
	return &info, nil
}

// user reads who it is: a text, or a whole number.
func (r *reading) user(answer strictjson.Object) (string, error) {
	user, found := "", false
	for _, p := range r.users {
		v, ok := answer.At(p)
		if !ok || v.Text() == "null" {
			continue
		}
		one, ok := v.Str()
		if !ok && wholeNumber(v.Text()) {
			one, ok = v.Text(), true
		}
		switch {
		case !ok:
			return "", errors.New("the member of the answer that names the person is neither a text nor a whole number")
		case found && one != user:
			return "", errors.New("the answer names two people")
		}
		user, found = one, true
	}
	if user == "" {
		return "", errNobody
	}
	return user, nil
}

// wholeNumber reports digits of which there is one spelling.
func wholeNumber(text string) bool {
	return text != "" && len(text) <= 19 && (text[0] != '0' || text == "0") && strings.Trim(text, "0123456789") == ""
}

// named returns the answer with the person under sub, and nothing else there.
func named(answer strictjson.Object, user string) (strictjson.Object, error) {
	text, err := json.Marshal(map[string]string{"sub": user})
	if err != nil {
		return nil, err
	}
	own, err := strictjson.ParseObject(string(text), 1)
	if err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(slices.Clone(answer), func(m strictjson.Member) bool { return m.Name == "sub" })
	return append(own, others...), nil
}

// expiry reads when the credential ends; the zero time: it does not say.
func (r *reading) expiry(answer strictjson.Object, now time.Time) (time.Time, error) {
	v, ok := answer.At(r.expires)
	if !ok || v.Text() == "null" {
		return time.Time{}, nil
	}
	end, ok := moment(v)
	switch {
	case !ok:
		return time.Time{}, errors.New("the answer's end of the credential is neither a number of seconds nor a time of RFC 3339")
	case !now.Before(end):
		return time.Time{}, authhandlers.Reject(authhandlers.CodeTokenExpired, "your session has ended; sign in again where you came from",
			"the service says that it ended %s ago by the clock here", now.Sub(end).Round(time.Millisecond))
	}
	return end, nil
}

// moment reads Unix seconds, perhaps with a fraction, or a text of RFC 3339.
func moment(v strictjson.Value) (time.Time, bool) {
	if text, ok := v.Str(); ok {
		t, err := time.Parse(time.RFC3339, text)
		return t, err == nil
	}
	const most = 1 << 35 // beyond it nobody means seconds
	seconds, ok := v.Number()
	if !ok || seconds < 0 || seconds > most {
		return time.Time{}, false
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true
}

// freshness is how long an answer may be used (RFC 9111 §5.2.2), if it says so: not at all
// with no-store or no-cache, and where it can't be read.
func freshness(h http.Header) (fresh time.Duration, limited bool) {
	for _, line := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
			var d time.Duration
			switch strings.TrimSpace(name) {
			case "no-store", "no-cache":
			case "max-age":
				d = seconds(strings.Trim(value, " \t\"")) - seconds(h.Get("Age"))
			default:
				continue
			}
			if !limited || d < fresh {
				fresh, limited = d, true
			}
		}
	}
	return max(fresh, 0), limited
}

// seconds reads delta-seconds (RFC 9111 §1.2.2); what is none is 0.
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
