package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

var errNoDescriptor = errors.New("the connection to the Cat can't be looked at")

// tcpConn is the TCP connection to the Cat, below TLS where that is spoken. For a look
// it is read without waiting, and then it says how far it is within a record.
type tcpConn struct {
	net.Conn
	raw     syscall.RawConn
	tls     *records // nil without TLS
	looking bool     // a Read does not wait
	try     func(fd uintptr) bool
	into    []byte // for try, and what comes of it
	one     [1]byte
	n       int
	err     error
}

// catDialer opens connections to the Cat that can be looked at. With a config they
// speak TLS: the dialer's time is for both then, as it is with tls.Dialer.
func catDialer(dialer *net.Dialer, config *tls.Config) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if config != nil && dialer.Timeout > 0 {
			limited, cancel := context.WithTimeout(ctx, dialer.Timeout)
			defer cancel()
			ctx = limited
		}
		c, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w, err := newTCPConn(c)
		if err != nil || config == nil {
			return w, err
		}
		return w.secure(ctx, config, address)
	}
}

func newTCPConn(c net.Conn) (*tcpConn, error) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil, errors.Join(errNoDescriptor, c.Close())
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	w := &tcpConn{Conn: c, raw: raw}
	w.try = func(fd uintptr) bool {
		w.n, w.err = readDescriptor(fd, w.into)
		return true
	}
	return w, nil
}

// tlsConn is TLS over a tcpConn.
type tlsConn struct {
	*tls.Conn
	below *tcpConn
}

func (w *tcpConn) secure(ctx context.Context, config *tls.Config, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	config = config.Clone()
	config.ServerName = host
	w.tls = new(records)
	t := tls.Client(w, config)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = w.Close() // the handshake says more
		return nil, err
	}
	return tlsConn{t, w}, nil
}

// tcpBelow is what lies below a connection that catDialer made, or nil.
func tcpBelow(c net.Conn) *tcpConn {
	switch c := c.(type) {
	case *tcpConn:
		return c
	case tlsConn:
		return c.below
	}
	return nil
}

// Read waits unless this is a look.
func (w *tcpConn) Read(p []byte) (n int, err error) {
	if w.looking {
		n, err = w.readNow(p)
	} else {
		n, err = w.Conn.Read(p)
	}
	if w.tls != nil {
		w.tls.follow(p[:n])
	}
	return n, err
}

// readNow reads what has come. Where nothing has, it is as if the time were up: to
// TLS that is no end of the connection.
func (w *tcpConn) readNow(p []byte) (int, error) {
	w.into = p
	err := w.raw.Read(w.try)
	w.into = nil
	switch {
	case err != nil:
		return 0, err
	case w.err == syscall.EAGAIN: //nolint:errorlint // the system's own, never wrapped
		return 0, os.ErrDeadlineExceeded
	case w.err != nil:
		return 0, w.err
	case w.n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return w.n, nil
}

// quiet reports, without waiting, that on c, which is this one or TLS over it,
// nothing lies that nobody asked for: no byte, no part of a record, no end. What TLS
// sends for itself (tickets, new keys) is taken, and is nothing. A connection that
// is not quiet has lost what was read, and is good for nothing more.
func (w *tcpConn) quiet(c net.Conn) bool {
	w.looking = true
	_, err := c.Read(w.one[:])
	w.looking = false
	return errors.Is(err, os.ErrDeadlineExceeded) && (w.tls == nil || w.tls.between())
}

// records follows the records of TLS (RFC 8446 §5.1): five bytes, of which the last
// two say how much comes behind. What lies there as a part of one is held by
// crypto/tls, where nobody sees it.
type records struct {
	head [5]byte
	have int // of head
	left int // of the record behind it
}

func (r *records) follow(p []byte) {
	for len(p) > 0 {
		if r.left > 0 {
			n := min(r.left, len(p))
			r.left -= n
			p = p[n:]
			continue
		}
		n := copy(r.head[r.have:], p)
		r.have += n
		p = p[n:]
		if r.have == len(r.head) {
			r.have, r.left = 0, int(r.head[3])<<8|int(r.head[4])
		}
	}
}

// between reports that no record has begun that is not whole.
func (r *records) between() bool { return r.have == 0 && r.left == 0 }
