package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// issuing is an identity provider of the tests, of either kind.
type issuing interface{ issuer() string }

// newClient is a browser that can't run scripts: it keeps cookies, and follows no
// redirect by itself.
func newClient(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Jar: jar, Transport: transport, Timeout: 3 * patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// signInAt goes to a page of Catflap's, follows it to the provider, signs in there as
// the person and comes back. It returns the last answer, with its body read and set
// anew; the last address is in its Request.
func signInAt(t testing.TB, provider issuing, client *http.Client, start, user string) *http.Response {
	t.Helper()
	password := user + "-pw"
	return walk(t, provider, client, start, func(f *form) error {
		if f.values.Has("password") {
			// Once: a second time means that the provider does not take it.
			if password == "" {
				return fmt.Errorf("the provider asks %s again", user)
			}
			f.values.Set("username", user)
			f.values.Set("password", password)
			password = ""
		}
		return nil
	})
}

// signOutAt goes to a page that signs out at the provider too, confirms it there and
// comes back.
func signOutAt(t testing.TB, provider issuing, client *http.Client, start string) *http.Response {
	t.Helper()
	return walk(t, provider, client, start, func(f *form) error {
		if f.values.Has("password") {
			return fmt.Errorf("the provider asks for a password")
		}
		f.values.Set("logout", "yes") // what our provider's page adds by a script
		return nil
	})
}

// walk follows redirects by hand, and posts each form that the provider shows after
// fill has filled it. It ends at a page that is not the provider's.
func walk(t testing.TB, provider issuing, client *http.Client, start string, fill func(*form) error) *http.Response {
	t.Helper()
	at, err := url.Parse(provider.issuer())
	if err != nil {
		t.Fatal(err)
	}
	next, err := http.NewRequestWithContext(t.Context(), http.MethodGet, start, http.NoBody)
	for range 20 {
		if err != nil {
			t.Fatal(err)
		}
		var res *http.Response
		if res, err = visitOnce(client, next); err != nil {
			t.Fatalf("%s: %v", withoutQuery(next.URL), err)
		}
		here := res.Request.URL
		switch location := res.Header.Get("Location"); {
		case res.StatusCode >= 300 && res.StatusCode < 400 && location != "":
			if next, err = follow(t.Context(), here, location); err == nil {
				next.Header.Set("Referer", here.Scheme+"://"+here.Host+"/")
			}
		case here.Host != at.Host:
			return res
		default:
			body, _ := io.ReadAll(res.Body) // it is in memory
			var f *form
			if f, err = parseForm(here, body); err == nil && !strings.HasPrefix(f.action.String(), at.Scheme+"://"+at.Host+"/") {
				err = fmt.Errorf("the form would go to %s", withoutQuery(f.action))
			}
			if err == nil {
				err = fill(f)
			}
			if err != nil {
				t.Fatalf("%s answered %d: %v\n%s", withoutQuery(here), res.StatusCode, err, clip(body, 2000))
			}
			next, err = http.NewRequestWithContext(t.Context(), http.MethodPost, f.action.String(), strings.NewReader(f.values.Encode()))
			if err == nil {
				next.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				next.Header.Set("Origin", at.Scheme+"://"+at.Host)
			}
		}
	}
	t.Fatalf("twenty steps from %s led nowhere", start)
	return nil
}

// visitOnce is one exchange, its body in memory.
func visitOnce(client *http.Client, req *http.Request) (*http.Response, error) {
	once := *client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	res, err := once.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, err
}

func follow(ctx context.Context, here *url.URL, location string) (*http.Request, error) {
	to, err := here.Parse(location)
	if err != nil {
		return nil, err
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, to.String(), http.NoBody)
}

// withoutQuery is an address as it may be shown: codes and states are in the query.
func withoutQuery(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }

// form is the first form of a page.
type form struct {
	action *url.URL
	values url.Values
}

func parseForm(page *url.URL, body []byte) (*form, error) {
	tree, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	f := &form{values: url.Values{}}
	for n := range tree.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "form" && f.action != nil:
			return f, nil // a second form is another matter
		case n.Data == "form":
			if f.action, err = page.Parse(attribute(n, "action")); err != nil {
				return nil, err
			}
		case n.Data == "input" && f.action != nil && attribute(n, "name") != "" && attribute(n, "type") != "checkbox":
			f.values.Set(attribute(n, "name"), attribute(n, "value"))
		}
	}
	if f.action == nil {
		return nil, fmt.Errorf("no form is on the page")
	}
	return f, nil
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
