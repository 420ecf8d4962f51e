package authhandlers_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers"
)

type config struct {
	invalid, broken error
	opened          *bool
}

func (c config) Validate() error { return c.invalid }

func (c config) Open(context.Context, authhandlers.Env) (authhandlers.AuthHandler, error) {
	*c.opened = true
	if c.broken != nil {
		return nil, c.broken
	}
	return &fake{}, nil
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	_, err := authhandlers.Open(t.Context(), config{}, authhandlers.Env{Name: "staff"})
	if err == nil || err.Error() != "authhandlers.Env has no Gate, HTTP, Log, Now" {
		t.Errorf("%v", err)
	}
}

func TestOpen(t *testing.T) {
	whole := authhandlers.Env{
		Name: "staff", Log: slog.New(slog.DiscardHandler), HTTP: http.DefaultClient, Now: time.Now, Gate: authhandlers.NewGate(1, 1, 1),
	}
	mistake := &authhandlers.FieldError{Field: "issuer", Problem: "required", Hint: "write it"}
	broken := errors.New("no such file")
	for _, c := range []struct {
		name   string
		config config
		env    func(*authhandlers.Env)
		want   error // nil: any, if fails
		fails  bool
		opened bool
	}{
		{name: "good", opened: true},
		{name: "not valid", config: config{invalid: mistake}, want: mistake, fails: true},
		{name: "fails", config: config{broken: broken}, want: broken, fails: true, opened: true},
		{name: "no name", env: func(e *authhandlers.Env) { e.Name = "" }, fails: true},
		{name: "no log", env: func(e *authhandlers.Env) { e.Log = nil }, fails: true},
		{name: "no client", env: func(e *authhandlers.Env) { e.HTTP = nil }, fails: true},
		{name: "no clock", env: func(e *authhandlers.Env) { e.Now = nil }, fails: true},
		{name: "no gate", env: func(e *authhandlers.Env) { e.Gate = nil }, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			env, opened := whole, false
			if c.env != nil {
				c.env(&env)
			}
			c.config.opened = &opened
			h, err := authhandlers.Open(t.Context(), c.config, env)
			if (err != nil) != c.fails || (h == nil) != c.fails || opened != c.opened {
				t.Fatalf("%v %v, opened %v", h, err, opened)
			}
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if c.want != nil && !strings.Contains(err.Error(), "handler staff") {
				t.Errorf("%v does not name the handler", err)
			}
		})
	}
	if f, p, h := mistake.Where(); mistake.Error() != "issuer: required" || f != "issuer" || p != "required" || h != "write it" {
		t.Error(mistake)
	}
}

func TestBearer(t *testing.T) {
	var none *authhandlers.Credential
	if none.Bearer() || (&authhandlers.Credential{Scheme: "basic"}).Bearer() || !(&authhandlers.Credential{Scheme: "bearer"}).Bearer() {
		t.Error("what is a bearer token")
	}
}
