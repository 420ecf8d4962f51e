package value_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catflap/catflap/config/value"
)

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"30s", 30 * time.Second, true},
		{"1h30m", 90 * time.Minute, true},
		{"24h", 24 * time.Hour, true},
		{"0", 0, true},
		{"30", 0, false},
		{"-1s", 0, false},
		{"", 0, false},
		{"1d", 0, false},
	} {
		var d value.Duration
		err := d.UnmarshalText([]byte(c.text))
		if (err == nil) != c.ok || d.Std() != c.want {
			t.Errorf("%q: got %v, %v", c.text, d, err)
		}
	}
}

func TestDurationString(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 24 * time.Hour: "24h", 90 * time.Minute: "1h30m", time.Minute: "1m", 90 * time.Second: "1m30s",
		time.Hour + time.Second: "1h0m1s", 20 * time.Second: "20s",
	} {
		if got := value.Duration(d).String(); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		text string
		want value.Size
		ok   bool
	}{
		{"0", 0, true},
		{"1000", 1000, true},
		{"10B", 10, true},
		{"512KiB", 512 << 10, true},
		{"16MiB", 16 << 20, true},
		{"2GiB", 2 << 30, true},
		{"9223372036854775807", 1<<63 - 1, true},
		{"9223372036854775807KiB", 0, false},
		{"16MB", 0, false},
		{"1.5MiB", 0, false},
		{"-1", 0, false},
		{"", 0, false},
		{"MiB", 0, false},
	} {
		var s value.Size
		err := s.UnmarshalText([]byte(c.text))
		if (err == nil) != c.ok || s != c.want {
			t.Errorf("%q: got %d, %v", c.text, s, err)
		}
		if err != nil {
			continue
		}
		var again value.Size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%q: written as %s, read as %d, %v", c.text, s, again, err)
		}
	}
}

func TestSecret(t *testing.T) {
	const content = "hunter2"
	t.Setenv("SET", content)
	t.Setenv("EMPTY", "")
	dir := t.TempDir()
	file := func(name, text string) value.Secret {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return value.Secret{File: value.Path(path)}
	}
	for _, c := range []struct {
		name   string
		secret value.Secret
		want   string
		err    string
	}{
		{"variable", value.Secret{Env: "SET"}, content, ""},
		{"unset", value.Secret{Env: "NOT_SET"}, "", "environment variable NOT_SET is not set"},
		{"empty", value.Secret{Env: "EMPTY"}, "", "environment variable EMPTY is empty"},
		{"none", value.Secret{}, "", "no secret is named"},
		{"both", value.Secret{Env: "SET", File: "x"}, "", "both env and file are given"},
		{"file", file("a", content), content, ""},
		{"line end", file("b", content+"\n"), content, ""},
		{"line end of Windows", file("c", content+"\r\n"), content, ""},
		{"two line ends", file("d", content+"\n\n"), content + "\n", ""},
		{"empty file", file("e", "\n"), "", "is empty"},
		{"large file", file("f", strings.Repeat("x", value.MaxSecretBytes+1)), "", "is larger than"},
		{"no file", value.Secret{File: value.Path(filepath.Join(dir, "none"))}, "", "no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.secret.Read()
			if string(got) != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got error %v, want %q", err, c.err)
			}
			for _, shown := range []string{fmt.Sprint(c.secret), fmt.Sprintf("%+v", c.secret), c.secret.LogValue().String(), fmt.Sprint(err)} {
				if strings.Contains(shown, content) {
					t.Errorf("the secret is shown: %s", shown)
				}
			}
		})
	}
}

func TestPathBelow(t *testing.T) {
	for _, c := range []struct{ path, dir, want string }{
		{"a.pem", "/etc/catflap", "/etc/catflap/a.pem"},
		{"../a.pem", "/etc/catflap", "/etc/a.pem"},
		{"/a.pem", "/etc/catflap", "/a.pem"},
		{"", "/etc/catflap", ""},
		{"a.pem", ".", "a.pem"},
	} {
		if got := value.Path(c.path).Below(c.dir); string(got) != c.want {
			t.Errorf("%q below %q: got %q, want %q", c.path, c.dir, got, c.want)
		}
	}
}
