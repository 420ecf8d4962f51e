package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catflap/catflap/authhandlers/authtest/pki"
)

// cards is a Catflap to which people come with client certificates.
type cards struct {
	*flap
	cat  *catBehindTap
	ca   *pki.Authority
	file string // of the authorities
}

func startCards(t *testing.T, tlsMore, handlers string) cards {
	t.Helper()
	dir := t.TempDir()
	c := cards{cat: startCat(t), ca: pki.New(t, "people"), file: filepath.Join(dir, "ca.pem")}
	server := pki.New(t, "server").Issue(t, pki.Named("catflap"), func(c *x509.Certificate) {
		c.ExtKeyUsage, c.DNSNames = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []string{"chat.example"}
	})
	certificate, key := pki.Files(t, server)
	for name, text := range map[string]string{"tls.crt": certificate, "tls.key": key, "ca.pem": c.ca.PEM()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.flap = start(t, config{
		cat: c.cat.tap.addr, publicURL: "https://chat.example", permissions: "everyone: [base]",
		handlers: handlers + fmt.Sprintf("  - {name: staff, type: jwt, issuer: %s, audiences: [catflap], algorithms: [EdDSA], keys: {jwks_file: staff.jwks.json}}\n", issuerName),
		more:     fmt.Sprintf("tls: {cert_file: %[1]s/tls.crt, key_file: %[1]s/tls.key, client_ca_file: %[1]s/ca.pem, %[2]s}\n", dir, tlsMore),
	})
	return c
}

const byMail = "  - {name: cards, type: mtls, user_id: email}\n"

// of is a client certificate of that address.
func (c cards) of(t *testing.T, name string) tls.Certificate {
	t.Helper()
	return c.ca.Issue(t, pki.Named(name), func(c *x509.Certificate) { c.EmailAddresses = []string{name + "@example.com"} })
}

// showing is how a client connects that shows the certificates.
func showing(certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, Certificates: certificates, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
}

func (c cards) mode(t *testing.T, id string, how *tls.Config) mode {
	return mode{host: "chat.example", id: id, dial: func() *line { return dialTLS(t, c.addr, how) }}
}

func TestPeopleByCertificate(t *testing.T) {
	t.Parallel()
	c := startCards(t, "client_certificates: optional", byMail)
	carol, nobody := showing(c.of(t, "carol")), showing()
	stranger := pki.New(t, "people").Issue(t, func(c *x509.Certificate) { c.EmailAddresses = []string{"carol@example.com"} })
	forged := showing()
	forged.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger, nil }
	both := c.ca.Issue(t, func(c *x509.Certificate) {
		c.EmailAddresses = []string{"carol@example.com", "dave@example.com"}
	})
	const carolID = "cards:carol@example.com"
	for _, row := range []struct {
		name   string
		how    *tls.Config
		lines  []string
		status int
		id     string
	}{
		{"a certificate", carol, nil, 200, carolID},
		{"none", nobody, nil, 401, ""},
		{"a stranger's", forged, nil, 403, ""},
		{"a stranger's beside a good token", forged, []string{"Authorization: Bearer " + alice()}, 403, ""},
		{"two addresses", showing(both), nil, 401, ""},
		{"a good token decides", carol, []string{"Authorization: Bearer " + alice()}, 200, idOf("alice")},
		{"a bad token is nobody", carol, []string{"Authorization: Bearer " + alice() + "x"}, 401, ""},
		{"an opaque token is nobody", carol, []string{"access_token: opaque"}, 401, ""},
		{"another scheme is nobody", carol, []string{"Authorization: Basic Y2Fyb2w6eA=="}, 401, ""},
		{"a page of ours", carol, []string{"Origin: https://chat.example"}, 200, carolID},
		{"another site's page", carol, []string{"Origin: https://evil.example"}, 403, ""},
		{"another site's form", carol, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}, 403, ""},
	} {
		c.cat.tap.take()
		got := c.mode(t, row.id, row.how).ask(t, "POST /message", `{"text":"hi"}`, row.lines...)
		if got.status != row.status {
			t.Errorf("%s: %d %s", row.name, got.status, clip(got.body, 300))
		}
		if arrived := c.cat.tap.take(); row.status == 200 {
			exactlyOne(t, arrived, row.id)
		} else {
			none(t, arrived)
		}
	}
	if got := c.mode(t, "", carol).ask(t, "GET /ws", "", append(strings.Split(strings.TrimSuffix(upgradeLines, "\r\n"), "\r\n"), "Origin: https://evil.example")...); got.status != 403 {
		t.Errorf("another site's socket: %d", got.status)
	}
	c.mode(t, carolID, carol).attack(t, c.cat)
	noClientSecret(t, "all bytes to the Cat", c.cat.tap.bytes())
}

// TestCertificatesEnd: when an authority is replaced, kept connections and open sockets
// of its people end, and nothing of a session of before is resumed.
func TestCertificatesEnd(t *testing.T) {
	t.Parallel()
	c := startCards(t, "client_certificates: optional", byMail)
	carol := showing(c.of(t, "carol"))
	kept := dialTLS(t, c.addr, carol)
	defer kept.close()
	chat := "POST /message HTTP/1.1\r\nHost: chat.example\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n" + `{"text":"hi"}`
	ask := func(l *line) answer {
		l.send(chat)
		a, err := l.receive("POST")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := ask(kept); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	socket, resp, err := (&websocket.Dialer{HandshakeTimeout: patience, TLSClientConfig: carol.Clone()}).Dial("wss://"+c.addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	defer socket.Close()
	expectTurn(t, socket, "hello", "cards:carol@example.com")
	h2 := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: carol.Clone()}, Timeout: patience}
	defer h2.CloseIdleConnections()
	over2 := func() int {
		resp, err := h2.Get("https://" + c.addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.ProtoMajor != 2 {
			t.Errorf("%s is spoken", resp.Proto)
		}
		return resp.StatusCode
	}
	if status := over2(); status != 200 {
		t.Errorf("over HTTP/2: %d", status)
	}

	next := pki.New(t, "people of tomorrow")
	if err := os.WriteFile(c.file, []byte(next.PEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = socket.SetReadDeadline(time.Now().Add(patience))
	for err == nil {
		_, _, err = socket.ReadMessage()
	}
	if !websocket.IsCloseError(err, 4401) {
		t.Errorf("the socket: %v", err)
	}
	if a := ask(kept); a.status != 403 || !a.last || !strings.Contains(string(a.body), "certificate_refused") {
		t.Errorf("the kept connection: %d, last %v, %s", a.status, a.last, a.body)
	}
	if status := over2(); status != 403 {
		t.Errorf("over HTTP/2: %d", status)
	}
	again := dialTLS(t, c.addr, carol)
	defer again.close()
	if a := ask(again); a.status == 200 {
		t.Error("a session of before came in")
	}
	c.ca = next
	if a := c.mode(t, "", showing(c.of(t, "carol"))).ask(t, "GET /", ""); a.status != 200 {
		t.Errorf("a certificate of the new authority: %d %s", a.status, a.body)
	}
}

// TestRevokedCertificate: a list that is replaced takes effect by itself.
func TestRevokedCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := filepath.Join(dir, "people.crl")
	write := func(text string) {
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := pki.New(t, "somebody else")
	write(other.Revoked(t, time.Now().Add(time.Hour)))
	c := startCards(t, "client_certificates: required, client_crl_file: "+list, byMail)
	carol := c.of(t, "carol")
	status := func() int { // 0 where the handshake fails
		return c.mode(t, "", showing(carol)).ask(t, "GET /", "").status
	}
	if got := status(); got != 0 {
		t.Errorf("without a list of its authority: %d", got)
	}
	write(c.ca.Revoked(t, time.Now().Add(time.Hour)))
	c.await("let in by a good list", func() bool { return status() == 200 })
	write(c.ca.Revoked(t, time.Now().Add(time.Hour), carol.Leaf))
	c.await("kept out when revoked", func() bool { return status() == 0 })
	if got := c.mode(t, "", showing()).ask(t, "GET /", "", "Authorization: Bearer "+alice()).status; got != 0 {
		t.Errorf("without a certificate where one is required: %d", got)
	}
}
