package app

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/catflap/catflap/authhandlers/authtest"
	"github.com/catflap/catflap/authhandlers/authtest/pki"
	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/clientcert"
)

// asking is a server with the listener's TLS that asks for client certificates.
type asking struct {
	*httptest.Server
	file  string
	clock *authtest.Clock
}

func startAsking(t *testing.T, required bool, ca *pki.Authority) *asking {
	t.Helper()
	dir := t.TempDir()
	certPEM, keyPEM, _ := keyPair(t, 1)
	for name, text := range map[string]string{"tls.crt": certPEM, "tls.key": keyPEM, "ca.pem": ca.PEM()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := &asking{file: filepath.Join(dir, "ca.pem"), clock: authtest.NewClock()}
	log := slog.New(slog.DiscardHandler)
	pair, err := newCertificate(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), log, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	clients, err := clientcert.Open(clientcert.Files{Authorities: value.Path(a.file)}, log, a.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	a.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto) // the client has gone: nobody to tell
	}))
	a.Config.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	a.TLS = serverTLS(pair)
	clientTLS(a.TLS, clients, required)
	a.StartTLS()
	t.Cleanup(a.Close)
	return a
}

// trust has the server's file name another authority.
func (a *asking) trust(t *testing.T, ca *pki.Authority) {
	t.Helper()
	if err := os.WriteFile(a.file, []byte(ca.PEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	a.clock.Advance(2 * time.Second)
}

// client shows the certificates, if there are any, and resumes sessions where it can.
func (a *asking) client(version uint16, shown ...tls.Certificate) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, MaxVersion: version, Certificates: shown, ClientSessionCache: tls.NewLRUClientSessionCache(8), NextProtos: []string{"http/1.1"},
	}
}

var errResumed = errors.New("a session was resumed")

// ask makes a connection of its own, and one request on it.
func (a *asking) ask(c *tls.Config) error {
	conn, err := tls.Dial("tcp", a.Listener.Addr().String(), c)
	if err != nil {
		return err
	}
	defer conn.Close()
	if conn.ConnectionState().DidResume {
		return errResumed
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	_, err = io.ReadAll(conn)
	return err
}

func TestClientCertificatesAtTheHandshake(t *testing.T) {
	ca, stranger := pki.New(t, "people"), pki.New(t, "others")
	for _, required := range []bool{false, true} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			a := startAsking(t, required, ca)
			if err := a.ask(a.client(version)); (err == nil) == required {
				t.Errorf("required %v, none: %v", required, err)
			}
			if err := a.ask(a.client(version, ca.Issue(t))); err != nil {
				t.Errorf("required %v, a good one: %v", required, err)
			}
			// Where it is optional, the request is refused, which says why.
			forged := a.client(version)
			other := stranger.Issue(t)
			forged.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &other, nil }
			if err := a.ask(forged); (err == nil) == required {
				t.Errorf("required %v, a stranger's: %v", required, err)
			}
		}
	}
}

// TestNoResumption: a client is asked for its certificate on each connection, and one of
// an authority of before is refused.
func TestNoResumption(t *testing.T) {
	old, next := pki.New(t, "people"), pki.New(t, "people of tomorrow")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		a := startAsking(t, true, old)
		c := a.client(version)
		shown := old.Issue(t)
		var offered [][]byte
		c.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			offered = r.AcceptableCAs
			return &shown, nil
		}
		for range 3 {
			if err := a.ask(c); err != nil {
				t.Fatal(err)
			}
		}
		a.trust(t, next)
		if err := a.ask(c); err == nil {
			t.Error("accepted by an authority of before")
		}
		if len(offered) != 1 || string(offered[0]) != string(next.Certificate.RawSubject) {
			t.Errorf("the client is asked for a certificate of %q", offered)
		}
		shown = next.Issue(t)
		if err := a.ask(c); err != nil {
			t.Errorf("of the new authority: %v", err)
		}
	}
}

// TestHTTP2WithClientCertificates: asking for a certificate takes nothing from HTTP/2.
func TestHTTP2WithClientCertificates(t *testing.T) {
	ca := pki.New(t, "people")
	a := startAsking(t, true, ca)
	c := a.client(tls.VersionTLS13, ca.Issue(t))
	c.NextProtos = []string{"h2", "http/1.1"}
	conn, err := tls.Dial("tcp", a.Listener.Addr().String(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if p := conn.ConnectionState().NegotiatedProtocol; p != "h2" {
		t.Errorf("%q is spoken", p)
	}
}
