package upstream

import (
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"testing"

	"github.com/catflap/catflap/proxy/cat"
)

func catsOf(t *testing.T, failover bool, addresses ...string) *Pool {
	t.Helper()
	var members []Member
	for _, a := range addresses {
		base, err := url.Parse(a)
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.DiscardHandler)
		members = append(members, Member{NewClient(ClientOptions{Base: base, Watched: true, Log: log}), cat.NewGuard(nil, log)})
	}
	c, err := New(members, failover)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func home(t *testing.T, c *Pool, id string) string {
	t.Helper()
	u, err := c.Pick(id, false)
	if err != nil {
		t.Fatal(err)
	}
	return u.Name()
}

func numbered(n int) []string {
	var l []string
	for i := range n {
		l = append(l, fmt.Sprintf("http://cat-%d:1865", i))
	}
	return l
}

// TestWeightNeverChanges pins what decides where people's memories are. A change of
// these values moves people away from theirs.
func TestWeightNeverChanges(t *testing.T) {
	for _, c := range []struct {
		cat, id string
		want    uint64
	}{
		{"http://cat-0:1865", "staff:alice", 0xddacc8891e3747d3},
		{"http://cat-1:1865", "staff:alice", 0x4fcb72c40829eabd},
		{"http://cat-2:1865", "staff:alice", 0x68a64871c7116f65},
		{"http://cat-0:1865", "anonymous", 0xfa12c8fd03664a4a},
		{"https://cats.example.com:443", "staff:müller", 0x1d8102e9753a0dbe},
		{"", "", 0x6e340b9cffb37a98},
	} {
		if got := weight(c.cat, c.id); got != c.want {
			t.Errorf("weight(%q, %q) = %#x, want %#x", c.cat, c.id, got, c.want)
		}
	}
	c := catsOf(t, false, numbered(3)...)
	for id, want := range map[string]string{
		"staff:alice": "cat-0:1865", "staff:bob": "cat-0:1865", "staff:carol": "cat-0:1865", "staff:dave": "cat-1:1865", "anonymous": "cat-0:1865",
	} {
		if got := home(t, c, id); got != want {
			t.Errorf("%s belongs to %s, want %s", id, got, want)
		}
	}
}

// TestSpellingsOfOneCat: how an address is written moves nobody.
func TestSpellingsOfOneCat(t *testing.T) {
	for _, c := range []struct{ written, name string }{
		{"http://cat", "http://cat:80"},
		{"http://Cat:80", "http://cat:80"},
		{"HTTPS://CAT", "https://cat:443"},
		{"http://[::1]", "http://[::1]:80"},
		{"http://[::1]:1865", "http://[::1]:1865"},
	} {
		base, err := url.Parse(c.written)
		if err != nil {
			t.Fatal(err)
		}
		if got := catName(base); got != c.name {
			t.Errorf("%s is %s, want %s", c.written, got, c.name)
		}
	}
}

// TestPeopleStayWhenCatsComeAndGo: another Cat takes its share of the people, about
// one in n, and moves nobody else; one that goes moves its own people alone.
func TestPeopleStayWhenCatsComeAndGo(t *testing.T) {
	const people = 6000
	for n := 1; n < 8; n++ {
		before, after := catsOf(t, false, numbered(n)...), catsOf(t, false, numbered(n+1)...)
		added := fmt.Sprintf("cat-%d:1865", n)
		moved := 0
		for p := range people {
			id := fmt.Sprintf("staff:%d", p)
			was, is := home(t, before, id), home(t, after, id)
			if was == is {
				continue
			}
			if moved++; is != added {
				t.Fatalf("%s moved from %s to %s although %s was added", id, was, is, added)
			}
		}
		share := people / (n + 1)
		if moved < share*85/100 || moved > share*115/100 {
			t.Errorf("from %d Cats to one more, %d of %d moved, want about %d", n, moved, people, share)
		}
	}
}

func TestTheOrderOfCatsMeansNothing(t *testing.T) {
	l := numbered(5)
	forth := catsOf(t, false, l...)
	slices.Reverse(l)
	back := catsOf(t, false, l...)
	counts := map[string]int{}
	for p := range 5000 {
		id := fmt.Sprintf("staff:%d", p)
		at := home(t, forth, id)
		counts[at]++
		if other := home(t, back, id); at != other {
			t.Fatalf("%s belongs to %s, and to %s with the list turned round", id, at, other)
		}
	}
	for at, n := range counts {
		if n < 850 || n > 1150 {
			t.Errorf("%s has %d of 5000 people", at, n)
		}
	}
}

func TestCatsMustDiffer(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	base := &url.URL{Scheme: "http", Host: "cat:80"}
	other := &url.URL{Scheme: "http", Host: "CAT"}
	watched := func(u *url.URL) Member {
		return Member{NewClient(ClientOptions{Base: u, Watched: true, Log: log}), cat.NewGuard(nil, log)}
	}
	for name, members := range map[string][]Member{
		"none":       nil,
		"twice":      {watched(base), watched(other)},
		"no guard":   {{Client: watched(base).Client}},
		"not looked": {{NewClient(ClientOptions{Base: base, Log: log}), cat.NewGuard(nil, log)}, watched(&url.URL{Scheme: "http", Host: "cat2"})},
	} {
		if c, err := New(members, false); c != nil || err == nil {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}
