package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/catflap/catflap/internal/demo/standin"
)

// Options say where the demo speaks, and how Catflap is started: the demo itself
// knows nothing of the composition root.
type Options struct {
	// Stdout gets the addresses and the lines to paste.
	Stdout io.Writer
	// Listen, Site, Cat and Admin are the preferred addresses; each that is taken is
	// replaced by a free port. The hosts must be loopback addresses.
	Listen, Site, Cat, Admin string
	// Run serves Catflap with this configuration file until ctx ends, and calls
	// ready once it listens.
	Run func(ctx context.Context, configFile string, ready func()) error
}

// parts are what the configuration is written from.
type parts struct {
	Listen, Site, Cat, Admin string // host:port
	KeyFile, KeyFileWS, JWKS string
	Audience                 string
	APIKey, APIKeyWS         string
}

// Run runs the demo until ctx ends.
func Run(ctx context.Context, o Options) error {
	dir, err := os.MkdirTemp("", "catflap-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, listeners, err := claim(o, dir)
	if err != nil {
		return err
	}
	p.APIKey, p.APIKeyWS = rand.Text(), rand.Text()
	i, err := newIssuer("http://" + p.Site)
	if err != nil {
		return err
	}
	pages, err := site(i, p.Site, "http://"+p.Listen)
	if err != nil {
		return err
	}
	configFile, err := p.write(dir, i)
	if err != nil {
		return err
	}
	cat := standin.New(standin.Options{APIKey: p.APIKey, APIKeyWS: p.APIKeyWS, JWTSecret: rand.Text()}).Start(listeners.cat)
	defer cat.Close()
	server := &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listeners.site) }()
	defer server.Close()

	// Catflap takes the two ports that were held for it.
	listeners.release()
	err = o.Run(ctx, configFile, func() { p.tell(o.Stdout, configFile) })
	select {
	case siteErr := <-served:
		err = errors.Join(err, siteErr)
	default:
	}
	return err
}

// held are listeners on the ports of the demo. Catflap opens its own, so that its
// two are closed at the last moment.
type held struct{ listen, site, cat, admin net.Listener }

func (h *held) release() {
	_ = h.listen.Close()
	_ = h.admin.Close()
}

func claim(o Options, dir string) (*parts, *held, error) {
	h := &held{}
	for _, c := range []struct {
		at  *net.Listener
		pre string
	}{{&h.listen, o.Listen}, {&h.site, o.Site}, {&h.cat, o.Cat}, {&h.admin, o.Admin}} {
		l, err := listenNear(c.pre)
		if err != nil {
			return nil, nil, err
		}
		*c.at = l
	}
	p := &parts{
		Listen: h.listen.Addr().String(), Site: h.site.Addr().String(), Cat: h.cat.Addr().String(), Admin: h.admin.Addr().String(),
		KeyFile: filepath.Join(dir, "cat.key"), KeyFileWS: filepath.Join(dir, "cat-ws.key"), JWKS: filepath.Join(dir, "demo.jwks.json"), Audience: audience,
	}
	return p, h, nil
}

// listenNear listens at the address, or at a free port of its host.
func listenNear(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s: the demo gives tokens to whoever asks, so it listens on a loopback address only", address)
	}
	if l, err := net.Listen("tcp", address); err == nil {
		return l, nil
	}
	return net.Listen("tcp", net.JoinHostPort(host, "0"))
}

func (p *parts) write(dir string, i *issuer) (configFile string, err error) {
	jwks, err := i.jwks()
	if err != nil {
		return "", err
	}
	configFile = filepath.Join(dir, "catflap.yaml")
	for name, content := range map[string][]byte{p.KeyFile: []byte(p.APIKey), p.KeyFileWS: []byte(p.APIKeyWS), p.JWKS: jwks} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return "", err
		}
	}
	f, err := os.OpenFile(configFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	return configFile, errors.Join(configTemplate().Execute(f, p), f.Close())
}

func (p *parts) tell(w io.Writer, configFile string) {
	_ = messageTemplate().Execute(w, map[string]any{"P": p, "Config": configFile}) // a closed terminal is no reason to stop
}

func configTemplate() *template.Template {
	return template.Must(template.New("config").Parse(configText))
}

func messageTemplate() *template.Template {
	return template.Must(template.New("message").Parse(messageText))
}
