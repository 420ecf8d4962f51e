package examples

import (
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestFrontProxies: all files are about one name and one Catflap, the one that their
// README configures. The nginx file is started by a test of its own, in internal/e2e.
func TestFrontProxies(t *testing.T) {
	readme := read(t, "front-proxies/README.md")
	for _, said := range []string{"\nlisten: 127.0.0.1:8080\n", "\npublic_url: https://chat.example.com\n", "\ntrusted_proxies: [127.0.0.1/32]"} {
		if !strings.Contains(readme, said) {
			t.Errorf("the README does not say %q", said)
		}
	}
	for name, lines := range map[string][]string{
		"nginx.conf": {
			"server_name chat.example.com;", "proxy_pass http://127.0.0.1:8080;", "proxy_http_version 1.1;", "underscores_in_headers on;",
			"proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $connection_upgrade;", "proxy_buffering off;",
			"proxy_set_header Host $http_host;", "proxy_set_header X-Forwarded-Host $http_host;", "proxy_set_header X-Forwarded-Proto $scheme;",
			"proxy_set_header X-Forwarded-For $remote_addr;", "access_log /var/log/nginx/access.log no_query;", "error_log /var/log/nginx/error.log crit;",
		},
		"Caddyfile": {"chat.example.com {", "reverse_proxy 127.0.0.1:8080 {", "flush_interval -1", `request>uri regexp \?.* ?...`, "request>headers delete"},
	} {
		text := read(t, "front-proxies/"+name)
		for _, line := range lines {
			if !regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(line) + `\s*(#.*)?$`).MatchString(text) {
				t.Errorf("%s has no line %q", name, line)
			}
		}
		if strings.Count(text, "{") != strings.Count(text, "}") {
			t.Errorf("%s: a brace is not closed", name)
		}
	}
}

type traefikStatic struct {
	EntryPoints map[string]struct {
		Address string
		HTTP    struct {
			Redirections struct {
				EntryPoint struct{ To, Scheme string } `yaml:"entryPoint"`
			}
		} `yaml:"http"`
		Transport struct {
			RespondingTimeouts struct {
				ReadTimeout string `yaml:"readTimeout"`
			} `yaml:"respondingTimeouts"`
		}
	} `yaml:"entryPoints"`
	CertificatesResolvers map[string]struct {
		ACME struct {
			Email, Storage string
			HTTPChallenge  struct {
				EntryPoint string `yaml:"entryPoint"`
			} `yaml:"httpChallenge"`
		} `yaml:"acme"`
	} `yaml:"certificatesResolvers"`
	Providers struct{ File struct{ Filename string } }
}

type traefikDynamic struct {
	HTTP struct {
		Routers map[string]struct {
			Rule, Service string
			EntryPoints   []string `yaml:"entryPoints"`
			TLS           struct {
				CertResolver string `yaml:"certResolver"`
			} `yaml:"tls"`
		}
		Services map[string]struct {
			LoadBalancer struct {
				PassHostHeader bool `yaml:"passHostHeader"`
				Servers        []struct{ URL string }
			} `yaml:"loadBalancer"`
		}
	} `yaml:"http"`
}

// TestTraefik reads both files as strictly as Traefik, and follows each name in them.
func TestTraefik(t *testing.T) {
	var static traefikStatic
	var dynamic traefikDynamic
	for name, into := range map[string]any{"traefik.yaml": &static, "traefik.catflap.yaml": &dynamic} {
		if err := yaml.Load([]byte(read(t, "front-proxies/"+name)), into, yaml.WithKnownFields()); err != nil {
			t.Fatal(name, err)
		}
	}
	router := dynamic.HTTP.Routers["catflap"]
	if len(dynamic.HTTP.Routers) != 1 || router.Rule != "Host(`chat.example.com`)" || len(router.EntryPoints) != 1 {
		t.Errorf("routers %+v", dynamic.HTTP.Routers)
	}
	in := static.EntryPoints[router.EntryPoints[0]]
	if web := static.EntryPoints["web"]; in.Address != ":443" || web.Address != ":80" || web.HTTP.Redirections.EntryPoint.To != router.EntryPoints[0] {
		t.Errorf("entry points %+v", static.EntryPoints)
	}
	if in.Transport.RespondingTimeouts.ReadTimeout != "30m" {
		t.Error("long uploads are cut")
	}
	resolver, ok := static.CertificatesResolvers[router.TLS.CertResolver]
	if _, there := static.EntryPoints[resolver.ACME.HTTPChallenge.EntryPoint]; !ok || !there {
		t.Errorf("no certificate: %+v", static.CertificatesResolvers)
	}
	balancer := dynamic.HTTP.Services[router.Service].LoadBalancer
	if !balancer.PassHostHeader || len(balancer.Servers) != 1 || balancer.Servers[0].URL != "http://127.0.0.1:8080" {
		t.Errorf("service %+v", balancer)
	}
	if file := static.Providers.File.Filename; !strings.Contains(read(t, "front-proxies/traefik.catflap.yaml"), file) {
		t.Errorf("%s is not what the second file says that it is", file)
	}
}
