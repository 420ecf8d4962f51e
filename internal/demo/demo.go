package demo

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/catflap/catflap/internal/demo/provider"
	"github.com/catflap/catflap/internal/demo/standin"
)

// page is the chat page, which the Cat serves below /static/ as it would anybody's.
//
//go:embed page
var page embed.FS

// The provider's one client, and what access tokens are for.
const (
	clientID = "catflap"
	audience = "cat"
)

// Options say where the demo speaks, and how Catflap is started: the demo itself
// knows nothing of the composition root.
type Options struct {
	// Stdout gets the addresses and the lines to paste.
	Stdout io.Writer
	// Listen, Provider, Cat and Admin are the preferred addresses; each that is taken
	// is replaced by a free port. The hosts must be loopback addresses, and Listen's
	// one that the name localhost means.
	Listen, Provider, Cat, Admin string
	// Run serves Catflap with this configuration file until ctx ends, and calls
	// ready once it listens.
	Run func(ctx context.Context, configFile string, ready func()) error
}

// parts are what the configuration is written from.
type parts struct {
	Listen, Cat, Admin string // host:port
	Public, Issuer     string // URLs: what browsers see
	ClientID, Audience string
	// Files with a secret each.
	ClientSecret, JWTSecret string
	// The Cat's accounts, by their ids.
	BaseAccount, AdminAccount string
}

// Run runs the demo until ctx ends.
func Run(ctx context.Context, o Options) error {
	dir, err := os.MkdirTemp("", "catflap-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	h, err := hold(o)
	if err != nil {
		return err
	}
	defer h.release()
	p := h.parts(dir)
	secret, catSecret := rand.Text(), rand.Text()
	static, err := fs.Sub(page, "page")
	if err != nil {
		return err
	}
	cat := standin.New(standin.Options{APIKey: rand.Text(), APIKeyWS: rand.Text(), JWTSecret: catSecret, Static: static})
	p.BaseAccount = cat.AddAccount("catflap-base", rand.Text(), standin.BasePermissions())
	p.AdminAccount = cat.AddAccount("catflap-service-admin", rand.Text(), standin.FullPermissions())
	for file, content := range map[string]string{p.ClientSecret: secret, p.JWTSecret: catSecret} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return err
		}
	}
	configFile := filepath.Join(dir, "catflap.yaml")
	if err := p.write(configFile); err != nil {
		return err
	}
	people, err := p.provider(secret)
	if err != nil {
		return err
	}
	running := cat.Start(h.cat)
	defer running.Close()
	server := &http.Server{Handler: people, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(h.provider) }()
	defer server.Close()

	h.handOver()
	err = o.Run(ctx, configFile, func() { p.tell(o.Stdout, configFile) })
	select {
	case providerErr := <-served:
		err = errors.Join(err, providerErr)
	default:
	}
	return err
}

// provider is the identity provider with Catflap as its client.
func (p *parts) provider(secret string) (*provider.Provider, error) {
	return provider.New(provider.Options{
		Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: secret, Audience: p.Audience,
		Redirects:   []string{p.Public + "/_catflap/callback", p.Public + "/_catflap/callback/demo"},
		PostLogout:  []string{p.Public + "/_catflap/signed-out"},
		BackChannel: p.Public + "/_catflap/backchannel-logout/demo",
	})
}

func (p *parts) write(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(template.Must(template.New("config").Parse(configText)).Execute(f, p), f.Close())
}

func (p *parts) tell(w io.Writer, configFile string) {
	t := template.Must(template.New("message").Parse(messageText))
	_ = t.Execute(w, map[string]any{"P": p, "Config": configFile}) // a closed terminal is no reason to stop
}
