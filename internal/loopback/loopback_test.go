package loopback

import "testing"

func TestHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "LocalHost.": true,
		"127.0.0.1": true, "127.8.9.10": true, "::1": true, "0:0:0:0:0:0:0:1": true, "::ffff:127.0.0.1": true,

		"": false, ".": false, "localhost..": false, "chat.localhost": false, "localhost.example.com": false, "notlocalhost": false,
		"0.0.0.0": false, "::": false, "128.0.0.1": false, "10.0.0.1": false, "::2": false, "::1%eth0": false, "[::1]": false,
		"127.1": false, "0x7f.0.0.1": false, "2130706433": false, "127.0.0.1.": false, "127.0.0.1.example.com": false,
	} {
		if got := Host(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}
