package wsconn

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

const (
	unused  = 1 << 7 // of the library's buffers, which it makes and we do not use
	maxHead = 64 << 10
)

var errLongHead = errors.New("the answer to the handshake is too long")

// Upgrader answers handshakes. The Origin must have been judged before, and an
// error is the caller's to answer; compression is not spoken.
func Upgrader() *websocket.Upgrader {
	return &websocket.Upgrader{
		HandshakeTimeout: controlWait, ReadBufferSize: unused, WriteBufferSize: unused,
		CheckOrigin: func(*http.Request) bool { return true },
		Error:       func(http.ResponseWriter, *http.Request, int, error) {},
	}
}

// Dial opens a connection, as net.Dialer does.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// Dialer opens sockets at the Cat, over connections that dial opens; nil is a plain
// net.Dialer. It uses no proxy of the environment. Its way of connecting must stay
// as it is: it keeps what the Cat says right behind its answer to the handshake.
// A nil config is TLS by the system's rules.
func Dialer(timeout time.Duration, dial Dial, config *tls.Config) *websocket.Dialer {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &websocket.Dialer{
		HandshakeTimeout: timeout, ReadBufferSize: unused, WriteBufferSize: unused,
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return shake(dial(ctx, network, addr))
		},
		NetDialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return shake(overTLS(ctx, dial, config, network, addr))
		},
	}
}

func overTLS(ctx context.Context, dial Dial, config *tls.Config, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	c, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	}
	config = config.Clone()
	config.ServerName = host
	t := tls.Client(c, config)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close() // the handshake says more
		return nil, err
	}
	return t, nil
}

// shaking is a connection during our handshake: it gives out the head of the answer
// and keeps what came behind it, which the library would keep to itself.
type shaking struct {
	net.Conn
	head bytes.Buffer // until its end is seen
	over bool
	rest []byte
}

func shake(c net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return &shaking{Conn: c}, nil
}

// Read reads up to the end of the head, and after that what comes.
func (s *shaking) Read(p []byte) (int, error) {
	if len(s.rest) > 0 {
		n := copy(p, s.rest)
		s.rest = s.rest[n:]
		return n, nil
	}
	n, err := s.Conn.Read(p)
	if s.over || n == 0 {
		return n, err
	}
	before := s.head.Len()
	s.head.Write(p[:n])
	if i := bytes.Index(s.head.Bytes()[max(0, before-3):], []byte("\r\n\r\n")); i >= 0 {
		end := max(0, before-3) + i + 4 - before
		s.over, s.rest, n = true, bytes.Clone(p[end:n]), end
		s.head = bytes.Buffer{}
	} else if s.head.Len() > maxHead {
		return 0, errLongHead
	}
	return n, err
}
