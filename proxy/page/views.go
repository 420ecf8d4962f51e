package page

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
)

// In all that follows a link that is empty, or that is neither a path of our own
// nor an http(s) address, is not shown.

// Home is what a person sees who has signed in and came from nowhere.
type Home struct {
	// Name is who is signed in, as people call them.
	Name string
	// Unlisted says that the person wanted to go back to a page that is not listed.
	Unlisted bool
	// StartURL is the page where people chat, PanelURL the Cat's admin panel, for those
	// who may open it. SignOutURL signs out.
	StartURL, PanelURL, SignOutURL string
	// Guest says that nobody has signed in. SignInURL then signs in, and CopyURL gives a
	// copy of the conversation, which ends with that.
	Guest              bool
	SignInURL, CopyURL string
}

// Home shows who is signed in, and where to go from there.
func (p *Pages) Home(w http.ResponseWriter, h Home) {
	p.show(w, response{status: http.StatusOK, template: "home", data: h})
}

// Choose is what a person sees who can sign in in several ways.
type Choose struct {
	Providers []Provider
	// ReturnTo is where the person goes afterwards; it stands in the links that are
	// made here. It has been verified before.
	ReturnTo string
	// GuestURL goes on without signing in. CopyURL, for a guest, gives a copy of the
	// conversation, which ends with a sign-in.
	GuestURL, CopyURL string
}

// Provider is one way to sign in.
type Provider struct {
	Name  string // as in ?idp=
	Title string // what people read; empty: the name
	// URL is where the choice leads. Empty: to the login below the prefix, with idp
	// and [ReturnParam].
	URL string
	// Preferred marks the way that was taken the last time. It comes first.
	Preferred bool
}

// ReturnParam is the name of the query parameter of the login that says where to
// go afterwards.
const ReturnParam = "return_to"

// Choose shows the ways to sign in.
func (p *Pages) Choose(w http.ResponseWriter, status int, c Choose) {
	var first, then []Provider
	for _, v := range c.Providers {
		v.Title = cmp.Or(v.Title, v.Name)
		if v.URL == "" {
			q := url.Values{"idp": {v.Name}}
			if c.ReturnTo != "" {
				q.Set(ReturnParam, c.ReturnTo)
			}
			v.URL = p.site.Prefix + "login?" + q.Encode()
		}
		if v.Preferred {
			first = append(first, v)
		} else {
			then = append(then, v)
		}
	}
	p.show(w, response{status: status, template: "choose", data: choice{append(first, then...), c.GuestURL, c.CopyURL}})
}

// choice is what the page to choose shows.
type choice struct {
	Providers         []Provider
	GuestURL, CopyURL string
}

// Password asks for a name and a password. The answer is a POST to login below the
// prefix with username, password and [ReturnParam].
type Password struct {
	Title string // whose names they are
	Wrong bool   // those before were wrong
	// ReturnTo is where the person goes afterwards. It has been verified before.
	ReturnTo string
	// OtherURL is where another way to sign in can be chosen.
	OtherURL string
	// FormOrigins are the origins to which the answer to the POST may redirect.
	FormOrigins []string
}

// Password shows the form.
func (p *Pages) Password(w http.ResponseWriter, status int, f Password) {
	p.show(w, response{status: status, template: "password", data: f, form: true, formOrigins: f.FormOrigins})
}

// SignOut asks whether to sign out. The answer is a POST to logout below the
// prefix, with everywhere=1 if it means every browser.
type SignOut struct {
	// Name is who is signed in, as people call them. May be empty.
	Name string
	// HomeURL is the way back without signing out.
	HomeURL string
	// FormOrigins are the origins to which the answer to the POST may redirect, such
	// as the identity provider's: Chromium applies form-action to redirects too.
	FormOrigins []string
}

// SignOut shows the question.
func (p *Pages) SignOut(w http.ResponseWriter, s SignOut) {
	p.show(w, response{status: http.StatusOK, template: "signout", data: s, form: true, formOrigins: s.FormOrigins})
}

// SignedOut is what a person sees who has signed out.
type SignedOut struct {
	SignInURL string
	// Note is what did not work, such as that the provider could not be told.
	Note string
}

// SignedOut shows that the session has ended.
func (p *Pages) SignedOut(w http.ResponseWriter, s SignedOut) {
	p.show(w, response{status: http.StatusOK, template: "signedout", data: s})
}

// Refused is what a person sees who is known, and not allowed.
type Refused struct {
	// Name is who is signed in, as people call them. May be empty.
	Name string
	// Text says what is not allowed. Empty: a sentence that does for anything.
	Text string
	// Hint says what the person can do about it.
	Hint string
	// RequestID is the one in the log.
	RequestID string
	// SwitchURL signs in as somebody else, SignOutURL signs out, HomeURL is where
	// the person is allowed.
	SwitchURL, SignOutURL, HomeURL string
	// Guest says that the person has not signed in.
	Guest bool
}

// Refused shows that the person is not allowed.
func (p *Pages) Refused(w http.ResponseWriter, status int, r Refused) {
	r.Text = cmp.Or(r.Text, "Your account does not have access to this page.")
	r.Text, r.Hint = sentence(r.Text), sentence(r.Hint)
	p.show(w, response{status: status, template: "refused", data: r})
}

// Problem is what a person sees when something went wrong: a login that failed
// or went in circles, a provider that does not answer.
type Problem struct {
	// Heading is what happened in a few words. Empty: words that do for anything.
	Heading string
	Text    string // what happened
	Hint    string // what to do about it
	// Detail is what happened in the words of the protocol, for who knows it.
	Detail string
	// Code is the stable name of the reason, and RequestID the one in the log.
	Code, RequestID string
	// RetryURL tries again. SignInURL begins a new sign-in, which may help where another
	// try does not. HomeURL is where the person can go instead.
	RetryURL, SignInURL, HomeURL string
	// Calm means that nothing is wrong, so that nobody is alarmed.
	Calm bool
}

// Problem shows what went wrong.
func (p *Pages) Problem(w http.ResponseWriter, status int, pr Problem) {
	pr.Heading = cmp.Or(pr.Heading, "Something went wrong")
	pr.Text, pr.Hint, pr.Detail = sentence(pr.Text), sentence(pr.Hint), sentence(pr.Detail)
	p.show(w, response{status: status, template: "problem", data: pr})
}

// sentence makes a sentence of a text that may be part of one: a hint of a program's
// answer begins with a small letter and ends without a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	if c := text[0]; 'a' <= c && c <= 'z' {
		text = string(c-'a'+'A') + text[1:]
	}
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}
