package cat

import (
	"errors"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	chat := permissions(t, "STATUS:READ", "STATIC:READ", "CONVERSATION:*")
	accounts := []Account{
		{"chat", chat},
		{"reader", chat | permissions(t, "MEMORY:READ")},
		{"reader again", chat | permissions(t, "MEMORY:READ")},
		{"editor", chat | permissions(t, "MEMORY:READ", "UPLOAD:WRITE")},
		{"admin", permissions(t, "*")},
	}
	everyone := Route{Pattern: "GET /custom/open", Plugins: true}
	unknown := Route{Pattern: "unknown", Admin: true, Plugins: true}
	base := Base.Names()
	editor := append([]string{"UPLOAD:WRITE"}, base...)
	for _, c := range []struct {
		name         string
		held         []string
		method, path string
		route        Route // instead of both
		want         string
	}{
		{"base chats on what it holds most of", base, "POST", "/message", Route{}, "reader"},
		{"base at an endpoint for everyone", base, "", "", everyone, "reader"},
		{"base reads its own", base, "GET", "/memory/recall", Route{}, "reader"},
		{"base and the Cat's files", base, "GET", "/static/x.css", Route{}, "reader"},
		{"base clears its own conversation", base, "DELETE", "/memory/conversation_history", Route{}, "admin"},
		{"an editor uploads", editor, "POST", "/rabbithole/", Route{}, "editor"},
		{"an editor chats", editor, "POST", "/message", Route{}, "editor"},
		{"to the Cat, fetching a page is uploading", append([]string{"UPLOAD_WEB:WRITE"}, base...), "POST", "/rabbithole/web", Route{}, "editor"},
		{"and nowhere else", append([]string{"UPLOAD_WEB:WRITE"}, base...), "POST", "/message", Route{}, "reader"},
		{"an administrator chats", []string{"*"}, "POST", "/message", Route{}, "admin"},
		{"an administrator at the panel", []string{"*"}, "GET", "/admin/", Route{}, "admin"},
		{"an administrator at what nobody knows", []string{"*"}, "", "", unknown, "admin"},
		{"an administrator who is denied something", append([]string{"USERS:LIST", "UPLOAD:WRITE"}, base...), "", "", unknown, "editor"},
		{"no account has only this", append([]string{"USERS:LIST"}, base...), "GET", "/users/", Route{}, ""},
		{"each account has more", []string{"CONVERSATION:WRITE"}, "POST", "/message", Route{}, ""},
		{"nobody", nil, "", "", everyone, ""},
	} {
		r := c.route
		if c.method != "" {
			r, _ = V1().Route(c.method, c.path)
		}
		got := ""
		if i, err := Choose(accounts, permissions(t, c.held...), r); err == nil {
			got = accounts[i].ID
		} else if !errors.Is(err, ErrNoAccount) {
			t.Errorf("%s: %v", c.name, err)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Whatever people hold and wherever they go, no account holds more.
func TestChosenAccountsHoldNothingBeyondThePerson(t *testing.T) {
	var accounts []Account
	for _, p := range Every() {
		accounts = append(accounts, Account{ID: p.String(), Permissions: PermissionsOf(p)}, Account{Permissions: Base | PermissionsOf(p)})
	}
	accounts = append(accounts, Account{ID: "admin", Permissions: All})
	for _, extra := range append(Every(), uploadWeb) {
		held := Base | PermissionsOf(extra)
		for _, r := range append(V1().Routes(), Route{Pattern: "plugin", Plugins: true}, Route{Pattern: "unknown", Admin: true, Plugins: true}) {
			i, err := Choose(accounts, held, r)
			if err != nil || r.Needs != None && !held.Has(r.Needs) {
				continue
			}
			if more := accounts[i].Permissions &^ (held | r.atCat()); more != 0 {
				t.Errorf("%s at %s: %v more", extra, r.Pattern, more.Names())
			}
		}
	}
}

func TestARefusalNamesWhatIsMissing(t *testing.T) {
	r, _ := V1().Route("POST", "/rabbithole/")
	_, err := Choose([]Account{{"admin", All}}, Base|permissions(t, "UPLOAD:WRITE"), r)
	want := "UPLOAD:WRITE that holds nothing beyond STATUS:READ, MEMORY:LIST, MEMORY:READ, CONVERSATION:*, UPLOAD:WRITE, STATIC:READ"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestUnfit(t *testing.T) {
	chat := permissions(t, "STATUS:READ", "STATIC:READ", "CONVERSATION:*")
	accounts := []Account{{"chat", chat}, {"admin", All}}
	for _, c := range []struct {
		name    string
		held    Permissions
		plugins bool
		want    string
	}{
		{"all that they may do", chat, false, ""},
		{"an administrator", All, false, ""},
		{"their own memories", Base, false, "MEMORY:READ"},
		{"their own memories go with the key", Base, true, ""},
		{"an upload is for hooks", chat | permissions(t, "UPLOAD:WRITE"), true, "UPLOAD:WRITE"},
		{"chat alone", permissions(t, "CONVERSATION:WRITE"), true, "CONVERSATION:WRITE"},
	} {
		got := ""
		if missing := Unfit(accounts, c.held, V1(), c.plugins); missing != nil {
			got = strings.Join(missing.Needs.Names(), " ")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
