package tokencache_test

import (
	"slices"
	"testing"

	"github.com/catflap/catflap/internal/tokencache"
)

func TestLists(t *testing.T) {
	l, err := tokencache.NewLists(4)
	if err != nil {
		t.Fatal(err)
	}
	lists := [][]string{
		nil, {}, {""}, {"", ""}, {"a"}, {"a", "b"}, {"ab"}, {"a1:b"}, {"a", "1:b"}, {"a\x00b"}, {"b", "a"}, {"a,b"},
	}
	for range 2 {
		for _, list := range lists {
			got := l.Share(list)
			if !slices.Equal(got, list) || (got == nil) != (list == nil) {
				t.Errorf("%q is shared as %q", list, got)
			}
		}
	}
	one, two := l.Share([]string{"x", "y"}), l.Share([]string{"x", "y"})
	if &one[0] != &two[0] {
		t.Error("equal lists are not shared")
	}
}
