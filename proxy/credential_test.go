package proxy

import (
	"errors"
	"net/http"
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

func TestReadCredential(t *testing.T) {
	const T, U = "aaa.bbb.ccc", "ddd.eee.fff"
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	for _, c := range []struct {
		name    string
		h       http.Header
		tokens  []string // in the query
		socket  bool
		noQuery bool
		scheme  string
		want    string
		carrier authhandlers.Carrier
		ours    []string
		foreign string
		err     error
	}{
		{name: "nothing"},
		{name: "bearer", h: header("Authorization", "Bearer "+T), want: T, carrier: authhandlers.CarrierAuthorization},
		{name: "lower case", h: header("Authorization", "bearer "+T), want: T, carrier: authhandlers.CarrierAuthorization},
		{name: "legacy header", h: header("access_token", T), want: T, carrier: authhandlers.CarrierLegacyHeader},
		{name: "both, equal", h: header("Authorization", "Bearer "+T, "access_token", T), want: T, carrier: authhandlers.CarrierAuthorization},
		{name: "both, different", h: header("Authorization", "Bearer "+T, "access_token", U), err: errTwoCredentials},
		{name: "empty legacy header", h: header("access_token", "")},
		{name: "empty bearer", h: header("Authorization", "Bearer")},
		{name: "empty bearer, good legacy header", h: header("Authorization", "Bearer", "access_token", T), want: T, carrier: authhandlers.CarrierLegacyHeader},
		{name: "two lines", h: header("Authorization", "Bearer "+T, "Authorization", "Bearer "+U), err: errAuthorizationTwo},
		{name: "two equal lines", h: header("Authorization", "Bearer "+T, "Authorization", "Bearer "+T), err: errAuthorizationTwo},
		{name: "a list", h: header("Authorization", "Bearer "+T+", "+U), err: errCredentialForm},
		{name: "two spaces", h: header("Authorization", "Bearer  "+T), err: errCredentialForm},
		{name: "quotes", h: header("Authorization", `Bearer "`+T+`"`), err: errCredentialForm},
		{name: "bearer twice", h: header("Authorization", "Bearer Bearer "+T), err: errCredentialForm},
		{name: "non-ASCII", h: header("Authorization", "Bearer "+T+"é"), err: errCredentialForm},
		{name: "bare key", h: header("Authorization", T), err: errCredentialForm},
		{name: "basic, asked for", ours: []string{"bearer", "basic"}, h: header("Authorization", "Basic eA=="), scheme: "basic", want: "eA==", carrier: authhandlers.CarrierAuthorization},
		{name: "basic, asked for, and a token", ours: []string{"basic"}, h: header("Authorization", "Basic eA==", "access_token", T), err: errTwoCredentials},
		{name: "basic", h: header("Authorization", "Basic eA=="), foreign: "basic"},
		{name: "negotiate, empty", h: header("Authorization", "Negotiate"), foreign: "negotiate"},
		{name: "digest, with commas", h: header("Authorization", `Digest username="a", realm="b"`), foreign: "digest"},
		{name: "basic and a token", h: header("Authorization", "Basic eA==", "access_token", T), want: T, carrier: authhandlers.CarrierLegacyHeader, foreign: "basic"},
		{name: "basic and a token in the query", h: header("Authorization", "Basic eA=="), tokens: []string{T}, socket: true, want: T, carrier: authhandlers.CarrierQuery, foreign: "basic"},
		{name: "basic and two tokens", h: header("Authorization", "Basic eA==", "access_token", T), tokens: []string{U}, socket: true, err: errTwoCredentials},
		{name: "legacy header, several", h: header("access_token", T, "access_token", U), err: errTwoCredentials},
		{name: "legacy header, no token", h: header("access_token", "a b"), err: errLegacyForm},
		{name: "query on HTTP", tokens: []string{T}},
		{name: "query on a socket", tokens: []string{T}, socket: true, want: T, carrier: authhandlers.CarrierQuery},
		{name: "query switched off", tokens: []string{T}, socket: true, noQuery: true},
		{name: "two in the query", tokens: []string{T, U}, socket: true, err: errTwoCredentials},
		{name: "one in the query, twice", tokens: []string{T, T}, socket: true, want: T, carrier: authhandlers.CarrierQuery},
		{name: "sub-protocol", h: header("Sec-WebSocket-Protocol", "bearer, "+T), socket: true, want: T, carrier: authhandlers.CarrierSubprotocol},
		{name: "sub-protocol and further ones", h: header("Sec-WebSocket-Protocol", "chat, bearer, "+T+", chat, v2"), socket: true, want: T, carrier: authhandlers.CarrierSubprotocol},
		{name: "sub-protocols in lines", h: header("Sec-WebSocket-Protocol", "bearer", "Sec-WebSocket-Protocol", T, "Sec-WebSocket-Protocol", "chat"), socket: true, want: T, carrier: authhandlers.CarrierSubprotocol},
		{name: "bearer twice", h: header("Sec-WebSocket-Protocol", "bearer, "+T+", chat, bearer, "+T), socket: true, want: T, carrier: authhandlers.CarrierSubprotocol},
		{name: "two tokens as sub-protocols", h: header("Sec-WebSocket-Protocol", "bearer, "+T+", bearer, "+U), socket: true, err: errTwoCredentials},
		{name: "bearer last", h: header("Sec-WebSocket-Protocol", "chat, bearer"), socket: true},
		{name: "sub-protocol on HTTP", h: header("Sec-WebSocket-Protocol", "bearer, "+T)},
		{name: "sub-protocol and another header", h: header("Sec-WebSocket-Protocol", "bearer, "+T, "Authorization", "Bearer "+U), socket: true, err: errTwoCredentials},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.h == nil {
				c.h = http.Header{}
			}
			got, foreign, err := readCredential(&http.Request{Header: c.h}, &target{tokens: c.tokens}, c.socket, !c.noQuery, c.ours)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && (foreign != nil) != (c.foreign != "") || foreign != nil && foreign.Scheme != c.foreign {
				t.Errorf("foreign %+v, want %q", foreign, c.foreign)
			}
			if c.want == "" {
				if got != nil {
					t.Fatalf("got a credential by %s", got.Carrier)
				}
				return
			}
			if c.scheme == "" {
				c.scheme = "bearer"
			}
			if got == nil || got.Value != c.want || got.Scheme != c.scheme || got.Carrier != c.carrier {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func FuzzReadCredential(f *testing.F) {
	f.Add("Bearer aaa.bbb.ccc", "aaa.bbb.ccc", "bearer, x")
	f.Fuzz(func(t *testing.T, authorization, legacy, protocol string) {
		h := http.Header{"Authorization": {authorization}, "Access_token": {legacy}, "Sec-Websocket-Protocol": {protocol}}
		got, foreign, err := readCredential(&http.Request{Header: h}, &target{}, true, true, nil)
		if err != nil && (got != nil || foreign != nil) {
			t.Fatal("an error and a credential")
		}
		if foreign.Bearer() {
			t.Fatal("a token is taken for a foreign credential")
		}
		if got != nil && (got.Value == "" || got.Scheme == "bearer" && got.Carrier == authhandlers.CarrierAuthorization && !tokenForm(got.Value)) {
			t.Fatalf("took a malformed credential of %d bytes", len(got.Value))
		}
	})
}

func TestTokenForm(t *testing.T) {
	for c := range 256 {
		want := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		for _, more := range "-._~+/=" {
			want = want || c == int(more)
		}
		if got := tokenForm(string([]byte{byte(c)})); got != want {
			t.Errorf("%q: %v", byte(c), got)
		}
	}
}
