package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestStrangersStayWithinTheMemory: in the default configuration the process stays
// within the memory of the example, whatever strangers of several addresses leave
// standing: large heads, frames and bodies, with TLS or without.
func TestStrangersStayWithinTheMemory(t *testing.T) {
	cat, file := quietCat(t)
	cert, key := certificateFiles(t)
	secure := fmt.Sprintf("tls: {cert_file: %s, key_file: %s}\n", cert, key)
	for _, row := range []struct {
		name, more string
		conns      int
		leave      func(c net.Conn, addr string)
	}{
		{"heads", "", 5000, leaveHead},
		{"heads over TLS", secure, 2000, leaveHead},
		{"heads of HTTP/2", secure, 2400, leaveStream},
		{"bodies of HTTP/2", secure, 2000, leaveBodies},
		{"large frames of HTTP/2", secure, 700, leaveFrame},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := start(t, config{cat: cat, binary: file, more: row.more})
			var all sync.WaitGroup
			few := make(chan struct{}, 64)
			for i := range row.conns {
				few <- struct{}{}
				all.Go(func() {
					defer func() { <-few }()
					d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 2, byte(1+i%9))}, Timeout: 5 * time.Second}
					c, err := d.Dial("tcp", f.addr)
					if err != nil {
						return // kept out: that is a bound, too
					}
					t.Cleanup(func() { _ = c.Close() })
					_ = c.SetDeadline(time.Now().Add(5 * time.Second))
					if row.more != "" {
						c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: map[bool][]string{true: {"h2"}}[strings.HasSuffix(row.name, "HTTP/2")]})
					}
					row.leave(c, f.addr)
				})
			}
			all.Wait()
			f.await("answering", func() bool { return f.ready() == 200 })
			expectWithin(t, row.name, f)
		})
	}
}

func leaveHead(c net.Conn, addr string) {
	var b strings.Builder
	fmt.Fprintf(&b, "GET / HTTP/1.1\r\nHost: %s\r\n", addr)
	for i := range 90 {
		fmt.Fprintf(&b, "X-%d: %s\r\n", i, strings.Repeat("x", 300))
	}
	_, _ = c.Write([]byte(b.String()))
}

// frame is one of HTTP/2 on the stream.
func frame(kind, flags, stream byte, payload string) string {
	n := len(payload)
	return string([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, 0, 0, 0, stream}) + payload
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// postRoot is the head of POST / over https, in HPACK (RFC 7541).
func postRoot(addr string) string { return "\x83\x84\x87\x41" + string(rune(len(addr))) + addr }

// leaveStream leaves a head without its end.
func leaveStream(c net.Conn, addr string) {
	long := "\x00\x01a\x7f" + string([]byte{(8000-127)&0x7f | 0x80, (8000 - 127) >> 7}) + strings.Repeat("x", 8000)
	_, _ = c.Write([]byte(preface + frame(4, 0, 0, "") + frame(1, 0, 1, postRoot(addr)) + strings.Repeat(frame(9, 0, 1, long), 3)))
}

// leaveBodies leaves twenty bodies without their ends.
func leaveBodies(c net.Conn, addr string) {
	b := preface + frame(4, 0, 0, "")
	for i := range byte(20) {
		b += frame(1, 4, 1+2*i, postRoot(addr)) + frame(0, 0, 1+2*i, strings.Repeat("x", 16384))
	}
	_, _ = c.Write([]byte(b))
}

// leaveFrame claims a frame of 1 MiB, and sends half of it.
func leaveFrame(c net.Conn, addr string) {
	_, _ = c.Write([]byte(preface + frame(4, 0, 0, "") + frame(1, 4, 1, postRoot(addr)) + "\x10\x00\x00\x00\x00\x00\x00\x00\x01"))
	_, _ = io.CopyN(c, zeros{}, 512<<10)
}

// certificateFiles are those of a key pair that nobody vouches for.
func certificateFiles(t testing.TB) (cert, key string) {
	t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, pair.Public(), pair)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
