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
	t.Setenv("WITH_LINE_END", content+"\n")
	t.Setenv("WITH_LINES", content+"\n\n")
	t.Setenv("QUOTED", "'"+content+"'")
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
		{"two line ends", file("d", content+"\n\n"), "", "holds more than one line"},
		{"line end of a variable", value.Secret{Env: "WITH_LINE_END"}, content, ""},
		{"more lines in a variable", value.Secret{Env: "WITH_LINES"}, "", "holds more than one line"},
		{"line before", file("g", "\n"+content), "", "holds more than one line"},
		{"byte order mark", file("h", "\ufeff"+content), "", "byte order mark"},
		{"UTF-16", file("i", "\xff\xfes\x00e\x00c\x00r\x00e\x00t\x00\r\x00\n\x00"), "", "UTF-16"},
		{"UTF-16 of another order", file("j", "\xfe\xff\x00s\x00e\x00c"), "", "UTF-16"},
		{"quotes", file("k", `"`+content+`"`), "", "quotes"},
		{"single quotes", value.Secret{Env: "QUOTED"}, "", "quotes"},
		{"quotes of a word processor", file("l", "“"+content+"”"), "", "quotes"},
		{"one quote", file("m", content+`"`), content + `"`, ""},
		{"space before", file("n", " "+content), "", "white space"},
		{"space behind", file("o", content+" \n"), "", "white space"},
		{"space inside", file("p", "a "+content), "a " + content, ""},
		{"tab inside", file("q", "a\t"+content), "", "can't be seen"},
		{"NUL", file("r", content+"\x00"), "", "can't be seen"},
		{"space without width", file("s", content+"\u200b"), "", "can't be seen"},
		{"random bytes", file("t", "\x00\xc3\x28\n\xff\xfe\x80"), "\x00\xc3\x28\n\xff\xfe\x80", ""},
		{"letters", file("u", "schlüssel"), "schlüssel", ""},
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
