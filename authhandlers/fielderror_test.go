package authhandlers_test

import (
	"errors"
	"testing"

	"github.com/catflap/catflap/authhandlers"
)

func TestFieldErrors(t *testing.T) {
	var p authhandlers.FieldErrors
	if err := p.Err(); err != nil {
		t.Errorf("without a mistake: %v", err)
	}
	p.Add("keys.jwks_url", "required", "write an address")
	p.Add("audiences[1]", "empty", "")
	err := p.Err()
	if err == nil || err.Error() != "keys.jwks_url: required\naudiences[1]: empty" {
		t.Errorf("%v", err)
	}
	first, ok := errors.AsType[*authhandlers.FieldError](err)
	if !ok {
		t.Fatal("no mistake of a field is in it")
	}
	if field, problem, hint := first.Where(); field != "keys.jwks_url" || problem != "required" || hint != "write an address" {
		t.Errorf("%s, %s, %s", field, problem, hint)
	}
}
