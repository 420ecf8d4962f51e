package authtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

// ask calls the handler; a panic fails the test.
func ask(t *testing.T, h authhandlers.AuthHandler, r *authhandlers.Request) (u *authhandlers.AuthUserInfo, err error) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("the handler panicked: %v", p)
			u, err = nil, errors.New("panicked")
		}
	}()
	u, err = h.Authenticate(t.Context(), r)
	switch {
	case u == nil && err == nil:
		t.Error("neither a person nor an error")
	case u != nil && err != nil:
		t.Errorf("both a person and an error: %v", err)
	}
	return u, err
}

// wrong says what is wrong with an accepted person, or "".
func (s *Suite) wrong(u *authhandlers.AuthUserInfo, n int) string {
	issuer, subject := s.Person(n)
	switch {
	case u == nil:
		return "nobody"
	case u.Issuer != issuer || u.Subject != subject:
		return fmt.Sprintf("person %d is %q %q, want %q %q", n, u.Issuer, u.Subject, issuer, subject)
	case u.Subject == "":
		return "a person without a subject"
	case s.Lifetime > 0 && !u.Expiry.After(s.Clock.Now()):
		return fmt.Sprintf("a person whose expiry is not ahead: %v", u.Expiry)
	}
	return ""
}

func testAccepts(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	for _, kind := range []authhandlers.Kind{authhandlers.KindHTTP, authhandlers.KindWebSocket} {
		for n := range 3 {
			r := s.Request(t, n)
			r.Kind = kind
			for range 2 { // the second time it may be remembered
				u, err := ask(t, h, r)
				if err != nil {
					t.Fatalf("kind %d, person %d: %v", kind, n, err)
				}
				if w := s.wrong(u, n); w != "" {
					t.Error(w)
				}
			}
		}
	}
}

func testNoCredential(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	if s.Guest {
		t.Skip("the handler is for guests")
	}
	if _, err := ask(t, h, NewRequest()); !errors.Is(err, authhandlers.ErrNoCredential) {
		t.Errorf("a request without credential: %v, want ErrNoCredential", err)
	}
}

func testForeign(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	requests := map[string]func(*testing.T) *authhandlers.Request{}
	for _, value := range []string{
		"opaque", "ey", ".", "..", "a.b.c", "e.y.j", strings.Repeat(".", 60000), strings.Repeat("A", 1<<20), "\x00", "\xff\xfe", "é",
		"eyJhbGciOiJub25lIn0.e30.",
		"eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSIsInN1YiI6ImFkbWluIn0.",
	} {
		requests[fmt.Sprintf("bearer %.20q", value)] = func(*testing.T) *authhandlers.Request { return Bearer(value) }
	}
	for _, scheme := range []string{"basic", "digest", "dpop", "negotiate", ""} {
		requests["scheme "+scheme] = func(*testing.T) *authhandlers.Request {
			r := Bearer("dXNlcjpwYXNzd29yZA==")
			r.HTTP.Header.Set("Authorization", scheme+" dXNlcjpwYXNzd29yZA==")
			r.Credential.Scheme = scheme
			return r
		}
	}
	maps.Copy(requests, s.Foreign)
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		r := requests[name](t)
		u, err := ask(t, h, r)
		if err == nil {
			t.Errorf("%s: accepted as %q %q", name, u.Issuer, u.Subject)
			continue
		}
		checkError(t, name, r, err)
	}
}

func testRefused(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	for _, name := range slices.Sorted(maps.Keys(s.Refused)) {
		r := s.Refused[name](t)
		for range 2 { // the second time it may be remembered
			_, err := ask(t, h, r)
			if _, ok := errors.AsType[*authhandlers.Rejection](err); !ok {
				t.Errorf("%s: %v, want a Rejection", name, err)
				continue
			}
			checkError(t, name, r, err)
		}
	}
}

// checkError looks for the credential in what clients and logs see, and for the
// reason in a refusal.
func checkError(t *testing.T, name string, r *authhandlers.Request, err error) {
	t.Helper()
	seen := err.Error()
	if rejection, ok := errors.AsType[*authhandlers.Rejection](err); ok {
		if rejection.Code == "" || rejection.Hint == "" {
			t.Errorf("%s: a Rejection without code or hint: %+v", name, rejection)
		}
		if errors.Is(err, authhandlers.ErrNoCredential) {
			t.Errorf("%s: both a Rejection and ErrNoCredential", name)
		}
		seen += rejection.Hint
	}
	if strings.ContainsFunc(seen, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Errorf("%s: a control character in %q", name, seen)
	}
	for _, part := range secretParts(r) {
		if len(part) >= 12 && strings.Contains(seen, part) {
			t.Errorf("%s: the error shows the credential: %s", name, seen)
		}
	}
}

// secretParts are what no error may show: the credential, and each header of a request
// without one, since it may be there.
func secretParts(r *authhandlers.Request) []string {
	whole := slices.Concat(slices.Collect(maps.Values(r.HTTP.Header))...)
	if r.Credential != nil {
		whole = []string{r.Credential.Value}
	}
	parts := slices.Clone(whole)
	for _, text := range whole {
		parts = append(parts, strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(".=; ", c) })...)
	}
	return parts
}

// testAltered changes the credential byte by byte. What is accepted all the same
// must at least be the same person.
func testAltered(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	r := s.Request(t, 0)
	if r.Credential == nil {
		t.Skip("the credential is not in Credential")
	}
	value := r.Credential.Value
	step := max(1, len(value)/60)
	for at := 0; at < len(value); at += step {
		for _, to := range []string{"", "A", ".", value[at:at+1] + value[at:at+1]} {
			altered := value[:at] + to + value[at+1:]
			if altered == value || altered == "" {
				continue
			}
			r := s.Request(t, 0)
			r.Credential.Value = altered
			if u, err := ask(t, h, r); err == nil {
				if w := s.wrong(u, 0); w != "" {
					t.Errorf("altered at byte %d to %q: %s", at, to, w)
				}
			}
		}
	}
}

func testUnchanged(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	r := s.Request(t, 0)
	before := *r
	header, address, host := r.HTTP.Header.Clone(), r.HTTP.URL.String(), r.HTTP.Host
	pointer := r.HTTP
	var credential authhandlers.Credential
	if r.Credential != nil {
		credential = *r.Credential
	}
	if _, err := ask(t, h, r); err != nil {
		t.Fatal(err)
	}
	switch {
	case r.HTTP != pointer || r.Kind != before.Kind || r.ClientIP != before.ClientIP || r.Credential != before.Credential:
		t.Error("the request was changed")
	case r.Credential != nil && *r.Credential != credential:
		t.Error("the credential was changed")
	case !reflect.DeepEqual(r.HTTP.Header, header) || r.HTTP.URL.String() != address || r.HTTP.Host != host:
		t.Error("the HTTP request was changed")
	}
}

func testConcurrent(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	const people, each, rounds = 8, 4, 25
	requests := make([]*authhandlers.Request, people)
	for n := range requests {
		requests[n] = s.Request(t, n)
	}
	var wg sync.WaitGroup
	for n := range people {
		for range each {
			wg.Go(func() {
				for range rounds {
					u, err := ask(t, h, requests[n])
					if err != nil {
						t.Errorf("person %d: %v", n, err)
						return
					}
					if w := s.wrong(u, n); w != "" {
						t.Error(w)
						return
					}
				}
			})
		}
	}
	wg.Wait()
}

func testCancelled(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := s.Request(t, 0)
	type answer struct {
		u   *authhandlers.AuthUserInfo
		err error
	}
	got := make(chan answer, 1)
	go func() {
		u, err := h.Authenticate(ctx, r)
		got <- answer{u, err}
	}()
	select {
	case a := <-got:
		var rejection *authhandlers.Rejection
		if errors.As(a.err, &rejection) || errors.Is(a.err, authhandlers.ErrNoCredential) {
			t.Errorf("a client that has left makes a good credential a bad one: %v", a.err)
		}
		if a.err == nil {
			if w := s.wrong(a.u, 0); w != "" {
				t.Error(w)
			}
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the handler goes on although the client has left")
	}
	if u, err := ask(t, h, r); err != nil || s.wrong(u, 0) != "" {
		t.Errorf("the next request of the same person: %v", err)
	}
}

func testExpiry(t *testing.T, s *Suite, h authhandlers.AuthHandler) {
	if s.Lifetime == 0 {
		t.Skip("the credential never ends by itself")
	}
	chain, err := authhandlers.NewChain(s.Clock.Now, authhandlers.Link{Name: "test", Handler: h})
	if err != nil {
		t.Fatal(err)
	}
	r := s.Request(t, 0)
	u, err := chain.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if end := s.Clock.Now().Add(s.Lifetime); u.Expiry.After(end) {
		t.Errorf("the expiry is %v, later than %v", u.Expiry, end)
	}
	s.Clock.Set(u.Expiry)
	_, err = chain.Authenticate(t.Context(), r)
	if _, ok := errors.AsType[*authhandlers.Rejection](err); !ok {
		t.Errorf("after its end: %v, want a Rejection", err)
	}
}
