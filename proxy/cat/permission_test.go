package cat

import (
	"slices"
	"testing"
)

func TestBaseIsTheCatsBaseSet(t *testing.T) {
	var want Permissions
	for _, text := range []string{"STATUS:READ", "MEMORY:READ", "MEMORY:LIST", "CONVERSATION:*", "STATIC:READ"} {
		p, err := ParsePermissions(text)
		if err != nil {
			t.Fatal(err)
		}
		want |= p
	}
	if Base != want {
		t.Errorf("Base = %v, want %v", Base.List(), want.List())
	}
}

func TestPermissionsReadAsTheyAreWritten(t *testing.T) {
	seen := map[Permission]string{}
	for _, r := range Resources() {
		for _, a := range Actions() {
			text := r + ":" + a
			set, err := ParsePermissions(text)
			if r == "UPLOAD_WEB" && a != "WRITE" {
				if err == nil {
					t.Errorf("%s was read", text)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			l := set.List()
			if len(l) != 1 || l[0].String() != text {
				t.Errorf("%s is read as %v", text, l)
			}
			if other, twice := seen[l[0]]; twice {
				t.Errorf("%s and %s are one", text, other)
			}
			seen[l[0]] = text
		}
	}
}

func TestParsePermissionsRefuses(t *testing.T) {
	for _, text := range []string{"", "*:*", "MEMORY", "MEMORY:", ":READ", "memory:read", "MEMORY:READ ", "MEMORY:READ:READ", "CAT:READ", "UPLOAD_WEB:*"} {
		if set, err := ParsePermissions(text); err == nil {
			t.Errorf("%q is read as %v", text, set.List())
		}
	}
}

func TestStarIsNotFetchingURLs(t *testing.T) {
	for _, text := range []string{"*", "UPLOAD:*", "UPLOAD:WRITE"} {
		set, err := ParsePermissions(text)
		if err != nil {
			t.Fatal(err)
		}
		if set.Has(uploadWeb) {
			t.Errorf("%s lets the Cat fetch URLs", text)
		}
	}
}

func TestByResourceIsWhatTheCatStores(t *testing.T) {
	set := Base | 1<<(uploadWeb-1)
	got := set.ByResource()
	if len(got) != 4 || !slices.Equal(got["CONVERSATION"], []string{"WRITE", "EDIT", "LIST", "READ", "DELETE"}) ||
		!slices.Equal(got["MEMORY"], []string{"LIST", "READ"}) {
		t.Errorf("got %v", got)
	}
}
