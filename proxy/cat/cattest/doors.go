package cattest

import (
	"net/http"
	"testing"
)

// doors: what is open when a key is not set.
func (s *suite) doors(t *testing.T) {
	http1, socket := "/", "/ws/"+s.name("door")
	closedHTTP := s.APIKey != ""
	closedWS := s.APIKeyWS != ""

	t.Run("HTTP without a credential", func(t *testing.T) {
		a := s.ask(t, "GET", http1, nil, "")
		if closedHTTP {
			a.refused(t)
			return
		}
		a.want(t, ok)
		s.ask(t, "GET", "/users/", nil, "").want(t, ok)
	})
	t.Run("HTTP with a wrong key", func(t *testing.T) {
		a := s.ask(t, "GET", http1, []string{"Authorization: Bearer no-such-key"}, "")
		if closedHTTP || closedWS {
			a.refused(t)
			return
		}
		a.want(t, ok)
	})
	t.Run("socket without a token", func(t *testing.T) { s.wantSocket(t, socket, !closedWS) })
	t.Run("socket with an empty token", func(t *testing.T) {
		s.wantSocket(t, socket+"?token=", !closedWS && !closedHTTP)
	})
	t.Run("socket with the wrong key", func(t *testing.T) {
		s.wantSocket(t, socket+"?token=no-such-key", !closedWS && !closedHTTP)
	})
	if closedHTTP {
		t.Run("socket with the HTTP key", func(t *testing.T) { s.wantSocket(t, socket+"?token="+s.APIKey, false) })
	}
	for _, path := range []string{"/openapi.json", "/docs", "/auth/login", "/custom/ping"} {
		t.Run("public "+path, func(t *testing.T) {
			if path == "/custom/ping" {
				s.plugin(t)
			}
			s.ask(t, "GET", path, nil, "").want(t, http.StatusOK)
		})
	}
}

// httpCredentials: which header counts, with both keys set.
func (s *suite) httpCredentials(t *testing.T) {
	s.bothKeys(t)
	key := s.APIKey
	for _, tt := range []struct {
		name  string
		lines []string
		in    bool
	}{
		{"nothing", nil, false},
		{"wrong key", []string{"Authorization: Bearer wrong"}, false},
		{"the socket key", []string{"Authorization: Bearer " + s.APIKeyWS}, false},
		{"Bearer", []string{"Authorization: Bearer " + key}, true},
		{"bearer in lower case", []string{"Authorization: bearer " + key}, false},
		{"BEARER in upper case", []string{"Authorization: BEARER " + key}, false},
		{"bare", []string{"Authorization: " + key}, true},
		{"Bearer twice", []string{"Authorization: Bearer Bearer " + key}, true},
		{"two spaces", []string{"Authorization: Bearer  " + key}, false},
		{"a space at the end", []string{"Authorization: Bearer " + key + " "}, false},
		{"Basic", []string{"Authorization: Basic dXNlcjp1c2Vy"}, false},
		{"access_token", []string{"access_token: " + key}, true},
		{"ACCESS_TOKEN", []string{"ACCESS_TOKEN: " + key}, true},
		{"access_token with Bearer", []string{"access_token: Bearer " + key}, false},
		{"access-token", []string{"access-token: " + key}, false},
		{"bad Authorization, good access_token", []string{"Authorization: Bearer wrong", "access_token: " + key}, false},
		{"good Authorization, bad access_token", []string{"Authorization: Bearer " + key, "access_token: wrong"}, true},
		{"empty Authorization, good access_token", []string{"Authorization:", "access_token: " + key}, true},
		{"Bearer and a space, good access_token", []string{"Authorization: Bearer ", "access_token: " + key}, true},
		{"Bearer alone, good access_token", []string{"Authorization: Bearer", "access_token: " + key}, false},
		{"good, bad", []string{"Authorization: Bearer " + key, "Authorization: Bearer wrong"}, true},
		{"bad, good", []string{"Authorization: Bearer wrong", "Authorization: Bearer " + key}, false},
		{"empty, good", []string{"Authorization:", "Authorization: Bearer " + key}, false},
		{"cookie", []string{"Cookie: ccat_user_token=" + key}, false},
		{"something like a token, good access_token", []string{"Authorization: Bearer a.b.c", "access_token: " + key}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := s.ask(t, "GET", "/", tt.lines, "")
			if !tt.in {
				a.refused(t)
				return
			}
			a.want(t, ok)
		})
	}
	for _, query := range []string{"?token=" + key, "?access_token=" + key} {
		t.Run(query[:7], func(t *testing.T) { s.ask(t, "GET", "/"+query, nil, "").refused(t) })
	}
	t.Run("what success looks like", func(t *testing.T) {
		a := s.ask(t, "GET", "/", s.key(), "").
			wantBody(t, ok, `{"status":"We're all mad here, dear!","version":"1.9.2"}`).
			wantHeader(t, "Content-Type", "application/json").
			wantHeader(t, "Server", "uvicorn")
		for name := range a.Header {
			switch name {
			case "Date", "Server", "Content-Length", "Content-Type", "Connection":
			default:
				t.Errorf("unexpected header %s", name)
			}
		}
	})
}

// socketCredentials: only ?token= counts, and the path says who.
func (s *suite) socketCredentials(t *testing.T) {
	s.bothKeys(t)
	path, key := "/ws/"+s.name("door"), s.APIKeyWS
	for _, tt := range []struct {
		name, target string
		lines        []string
		in           bool
	}{
		{"token", path + "?token=" + key, nil, true},
		{"no user", "/ws?token=" + key, nil, true},
		{"empty user", "/ws/?token=" + key, nil, false},
		{"slash in the user", path + "%2Fx?token=" + key, nil, false},
		{"slash after the user", path + "/?token=" + key, nil, false},
		{"path that is not there", "/nowhere?token=" + key, nil, false},
		{"path that is no socket", "/message?token=" + key, nil, false},
		{"bad, good", path + "?token=wrong&token=" + key, nil, true},
		{"good, bad", path + "?token=" + key + "&token=wrong", nil, false},
		{"access_token in the query", path + "?access_token=" + key, nil, false},
		{"Authorization", path, []string{"Authorization: Bearer " + key}, false},
		{"access_token", path, []string{"access_token: " + key}, false},
		{"cookie", path, []string{"Cookie: ccat_user_token=" + key}, false},
		{"token, bad Authorization", path + "?token=" + key, []string{"Authorization: Bearer wrong"}, true},
		{"foreign origin", path + "?token=" + key, []string{"Origin: https://elsewhere.example"}, true},
		{"sub-protocol", path + "?token=" + key, []string{"Sec-WebSocket-Protocol: chat, " + key}, true},
	} {
		t.Run(tt.name, func(t *testing.T) { s.wantSocket(t, tt.target, tt.in, tt.lines...) })
	}
	t.Run("plain GET", func(t *testing.T) {
		s.ask(t, "GET", path+"?token="+key, nil, "").wantBody(t, http.StatusNotFound, `{"detail":"Not Found"}`)
	})
}
