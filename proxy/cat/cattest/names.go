package cattest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// names: which letters of a user id survive, in the header and in the path.
func (s *suite) names(t *testing.T) {
	s.plugin(t)
	t.Run("header", func(t *testing.T) {
		for _, tt := range []struct {
			name  string
			lines []string
			want  string
		}{
			{"none", nil, "user"},
			{"empty", []string{"user_id:"}, ""},
			{"only white space", []string{"user_id: \t "}, ""},
			{"lower case", []string{"user_id: a"}, "a"},
			{"upper case", []string{"USER_ID: a"}, "a"},
			{"mixed case", []string{"User_Id: a"}, "a"},
			{"Go's spelling", []string{"User_id: a"}, "a"},
			{"with a hyphen", []string{"User-Id: a"}, "user"},
			{"twice", []string{"user_id: a", "user_id: b"}, "a"},
			{"twice, in two spellings", []string{"USER_ID: a", "user_id: b"}, "a"},
			{"empty first", []string{"user_id:", "user_id: b"}, ""},
			{"comma", []string{"user_id: a, b"}, "a, b"},
			{"slash", []string{"user_id: a/b"}, "a/b"},
			{"percent", []string{"user_id: a%20b"}, "a%20b"},
			{"white space before", []string{"user_id:  \t a"}, "a"},
			{"white space behind is kept", []string{"user_id: a "}, "a "},
			{"signs", []string{`user_id: a.b-c_d@e+f:g;h,i=j%k|l\m"n#o?p&q`}, `a.b-c_d@e+f:g;h,i=j%k|l\m"n#o?p&q`},
			{"UTF-8 is mangled", []string{"user_id: zoë"}, "zoÃ«"},
			{"latin-1", []string{"user_id: zo\xeb"}, "zoë"},
			{"8000 letters", []string{"user_id: " + strings.Repeat("a", 8000)}, strings.Repeat("a", 8000)},
			{"60000 letters", []string{"user_id: " + strings.Repeat("a", 60000)}, strings.Repeat("a", 60000)},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if got := s.who(t, s.key(tt.lines...)...); got != tt.want {
					t.Errorf("the Cat takes it for %q, want %q", short(got), short(tt.want))
				}
			})
		}
	})
	t.Run("path", func(t *testing.T) {
		for _, tt := range []struct {
			name, path string
			want       string
			in         bool
		}{
			{"none", "/ws", "user", true},
			{"plain", "/ws/a", "a", true},
			{"escaped", "/ws/a%20b", "a b", true},
			{"escaped twice", "/ws/a%2520b", "a%20b", true},
			{"plus", "/ws/a+b", "a+b", true},
			{"leading space is kept", "/ws/%20a", " a", true},
			{"dots", "/ws/a..b", "a..b", true},
			{"signs", "/ws/" + url.PathEscape(`a.b-c_d@e+f:g;h,i=j%k|l\m"n#o?p`), `a.b-c_d@e+f:g;h,i=j%k|l\m"n#o?p`, true},
			{"UTF-8", "/ws/zo%C3%AB", "zoë", true},
			{"slash", "/ws/a/b", "", false},
			{"escaped slash", "/ws/a%2Fb", "", false},
			{"empty", "/ws/", "", false},
			{"1000 letters", "/ws/" + strings.Repeat("a", 1000), strings.Repeat("a", 1000), true},
		} {
			t.Run(tt.name, func(t *testing.T) {
				target := tt.path
				if s.APIKeyWS != "" {
					target += "?token=" + s.APIKeyWS
				}
				if !tt.in {
					s.wantSocket(t, target, false)
					return
				}
				w := s.dial(t, target)
				defer w.bye()
				if got := w.turn(t, `{"text":"who?"}`)["user_id"]; got != tt.want {
					t.Errorf("the Cat takes it for %q, want %q", got, short(tt.want))
				}
			})
		}
	})
	t.Run("a path that is too long", func(t *testing.T) {
		s.ask(t, "GET", "/ws/"+strings.Repeat("a", 70000), nil, "").want(t, http.StatusBadRequest)
	})
	t.Run("a control character in the header", func(t *testing.T) {
		for _, c := range []string{"\x00", "\x01", "\x7f"} {
			s.ask(t, "GET", "/", s.key("user_id: a"+c+"b"), "").want(t, http.StatusBadRequest)
		}
	})
}
