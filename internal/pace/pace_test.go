package pace

import (
	"net/netip"
	"testing"
	"time"
)

func TestNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1%eth0": "fe80::", "::1": "::",
	} {
		if got := Network(netip.MustParseAddr(text)); got.String() != want {
			t.Errorf("%s is of %s, want %s", text, got, want)
		}
	}
	if Network(netip.Addr{}).IsValid() {
		t.Error("nobody has a network")
	}
}

func TestPaceHasAShareForEachAddress(t *testing.T) {
	now := time.Unix(1000, 0)
	p := New(func() time.Time { return now }, Rate{2, 1}, Rate{3, 1})
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	for range 2 {
		if over := p.Take(a); over != nil {
			t.Fatalf("%+v", over)
		}
	}
	if over := p.Take(a); over == nil || !over.Own || over.Wait != 1 {
		t.Errorf("the share of an address: %+v", over)
	}
	if over := p.Take(b); over != nil {
		t.Errorf("another address: %+v", over)
	}
	if over := p.Take(c); over == nil || over.Own {
		t.Errorf("the bound for all: %+v", over)
	}
	p.GiveBack(b)
	if over := p.Take(c); over != nil {
		t.Errorf("after one was given back: %+v", over)
	}
	now = now.Add(time.Second)
	p.Set(Rate{1, 1}, Rate{10, 1})
	if over := p.Take(a); over == nil || !over.Own {
		t.Errorf("a smaller share: %+v", over)
	}
}
