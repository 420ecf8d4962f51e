package webhook

import (
	"encoding/binary"
	"errors"
	"net/http"
	"strings"

	"github.com/catflap/catflap/authhandlers"
)

// maxShownBytes bounds what the service is shown of one request.
const maxShownBytes = 16 << 10

// The ways in which what is shown can be wrong. The texts are told to the client.
var (
	errTwice = errors.New("a header or a cookie that says who you are stands there more than once; send it once")
	errForm  = errors.New("a header or a cookie that says who you are holds a control character")
	errLong  = errors.New("what says who you are is too long")
)

// chosen are the names of what the service is shown. All of them make one credential,
// each value with its length before it, so that no two requests with other values have
// one credential in common.
type chosen struct {
	headers, cookies []string
	authorization    bool // among headers
}

func choose(headers, cookies []string) chosen {
	var c chosen
	for _, n := range headers {
		n = http.CanonicalHeaderKey(n)
		c.authorization = c.authorization || n == "Authorization"
		c.headers = append(c.headers, n)
	}
	c.cookies = append(c.cookies, cookies...)
	return c
}

// collect returns the credential of a request, or "" where none of the names is there.
// An empty value is absent. given is the proxy's own reading of Authorization.
func (c *chosen) collect(h http.Header, given *authhandlers.Credential) (string, error) {
	var b []byte
	found := false
	for _, n := range c.headers {
		value, err := c.header(h, n, given)
		if err != nil {
			return "", err
		}
		found = found || value != ""
		b = appendText(b, value)
	}
	for _, n := range c.cookies {
		value, err := cookie(h["Cookie"], n)
		if err != nil {
			return "", err
		}
		found = found || value != ""
		b = appendText(b, value)
	}
	switch {
	case !found:
		return "", nil
	case len(b) > maxShownBytes:
		return "", errLong
	}
	return string(b), nil
}

func (c *chosen) header(h http.Header, name string, given *authhandlers.Credential) (string, error) {
	lines := h[name]
	if name == "Authorization" && given.Bearer() { // wherever the client has put it
		lines = []string{"Bearer " + given.Value}
	}
	if len(lines) > 1 {
		return "", errTwice
	}
	if len(lines) == 0 {
		return "", nil
	}
	return lines[0], checkForm(lines[0])
}

// cookie returns the value of one cookie, as it stands there.
func cookie(lines []string, name string) (value string, err error) {
	found := false
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			n, v, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if n != name {
				continue
			}
			if found {
				return "", errTwice
			}
			found, value = true, v
		}
	}
	return value, checkForm(value)
}

// checkForm keeps out what net/http would not send.
func checkForm(value string) error {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return errForm
		}
	}
	return nil
}

// isKey reports that one of the values is one of Catflap's own API keys.
func (c *chosen) isKey(credential string) bool {
	is := false
	_ = c.each(credential, func(_ string, value string, _ bool) { // one that can't be taken apart has no more values
		if _, v, ok := strings.Cut(value, " "); ok {
			value = v // behind a scheme
		}
		is = is || authhandlers.LikeKey(value)
	})
	return is
}

// show puts a credential into a question.
func (c *chosen) show(credential string, h http.Header) error {
	var cookies []string
	err := c.each(credential, func(name, value string, isCookie bool) {
		switch {
		case value == "":
		case isCookie:
			cookies = append(cookies, name+"="+value)
		default:
			h[name] = []string{value}
		}
	})
	if cookies != nil {
		h.Set("Cookie", strings.Join(cookies, "; "))
	}
	return err
}

// each takes a credential apart.
func (c *chosen) each(credential string, take func(name, value string, isCookie bool)) error {
	for i := range len(c.headers) + len(c.cookies) {
		size, n := binary.Uvarint([]byte(credential[:min(len(credential), binary.MaxVarintLen64)]))
		if n <= 0 || size > uint64(len(credential)-n) { //nolint:gosec // n is within the text
			return errors.New("not a credential of these names")
		}
		value := credential[n : n+int(size)]  //nolint:gosec // it is within the text
		credential = credential[n+int(size):] //nolint:gosec // as above
		if i < len(c.headers) {
			take(c.headers[i], value, false)
		} else {
			take(c.cookies[i-len(c.headers)], value, true)
		}
	}
	if credential != "" {
		return errors.New("not a credential of these names")
	}
	return nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
