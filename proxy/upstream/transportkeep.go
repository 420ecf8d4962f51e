package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/http"
	"time"
)

// catConn is one connection to the Cat. Between requests it waits in idle, for the
// next one of its owner.
type catConn struct {
	net.Conn
	owner  string
	tcp    *tcpConn // below it; nil: it can't be looked at
	in     *bufio.Reader
	out    *bufio.Writer
	left   int64 // bytes that may still be read of an answer's head; below 0: no bound
	since  time.Time
	used   bool // it has carried a request before
	writes int  // of the present request
	began  bool // a byte of the present answer has come
	odd    bool // the present answer's end is not beyond doubt
}

func newCatConn(conn net.Conn, owner string) *catConn {
	c := &catConn{Conn: conn, owner: owner, tcp: tcpBelow(conn)}
	c.in, c.out = bufio.NewReaderSize(c, connReadBuffer), bufio.NewWriterSize(c, connWriteBuffer)
	return c
}

// begin makes the connection ready for a request.
func (c *catConn) begin() {
	c.left, c.writes, c.began, c.odd = upstreamHeaders, 0, false, false
}

// Write looks at a kept connection before each byte leaves: whatever lies there is
// no answer to a request that has not been written.
func (c *catConn) Write(p []byte) (int, error) {
	if c.used && (c.tcp == nil || !c.tcp.quiet(c.Conn)) {
		return 0, errNotQuiet
	}
	c.writes++
	return c.Conn.Write(p)
}

// Read bounds the head of an answer, and notes that one has begun.
func (c *catConn) Read(p []byte) (int, error) {
	if c.left >= 0 {
		if c.left == 0 {
			return 0, errHeadTooLarge
		}
		p = p[:min(int64(len(p)), c.left)]
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.began = true
		if c.left > 0 {
			c.left -= int64(n)
		}
	}
	return n, err
}

// again reports that the request, which failed on this connection, may be sent on
// another one: nothing of it has left, or it is idempotent and was not answered.
func (c *catConn) again(req *http.Request, err error) bool {
	switch {
	case !c.used:
		return false
	case errors.Is(err, errNotQuiet) && c.writes == 0:
		return true
	}
	return repeatable(req) && (!c.began || errors.Is(err, errGivenUp))
}

// readHead reads the head of the next answer.
func (c *catConn) readHead(req *http.Request) (*http.Response, error) {
	if _, err := c.in.Peek(1); err != nil {
		return nil, err
	}
	head, _ := c.in.Peek(c.in.Buffered())
	c.odd = c.odd || !plainHead(head)
	resp, err := http.ReadResponse(c.in, req)
	if err != nil {
		return nil, err
	}
	if c.used && resp.Close && resp.StatusCode == http.StatusRequestTimeout && repeatable(req) {
		return nil, errGivenUp // a balancer's word for a connection that was idle for too long
	}
	c.odd = c.odd || bodiless(resp) && announcesBody(resp)
	return resp, nil
}

// mayKeep reports that the connection is as good as new behind this answer, once it
// has been read. After a 5xx the Cat closes without saying so. A request of more
// than one write may have been answered before it was whole.
func (c *catConn) mayKeep(resp *http.Response) bool {
	return !c.odd && !resp.Close && c.writes == 1 && c.tcp != nil &&
		resp.StatusCode < http.StatusInternalServerError && resp.StatusCode != http.StatusSwitchingProtocols
}

// bodiless reports an answer that has no body whatever it says (RFC 9112 §6.3).
func bodiless(resp *http.Response) bool {
	s := resp.StatusCode
	return s < http.StatusOK || s == http.StatusNoContent || s == http.StatusNotModified || resp.Request.Method == http.MethodHead
}

// announcesBody reports an answer that says that it has one. Behind one that has
// none, servers are known to send it all the same.
func announcesBody(resp *http.Response) bool {
	length := resp.Header["Content-Length"]
	return len(resp.TransferEncoding) > 0 || len(length) > 0 && (len(length) > 1 || length[0] != "0")
}

// plainHead reports that what was received holds the whole head of an answer, with
// at most one word on where its body ends, and with nothing that servers and proxies
// are known to read in different ways (RFC 9112 §6.1, §2.2, §5.2).
func plainHead(received []byte) bool {
	framing := 0
	for first := true; ; first = false {
		line, rest, ok := bytes.Cut(received, []byte("\n"))
		if !ok || len(line) == 0 || line[len(line)-1] != '\r' {
			return false
		}
		line, received = line[:len(line)-1], rest
		switch {
		case len(line) == 0:
			return !first && framing <= 1
		case bytes.IndexByte(line, '\r') >= 0, line[0] == ' ', line[0] == '\t':
			return false
		}
		if name, _, ok := bytes.Cut(line, []byte(":")); ok && !first && framesBody(name) {
			framing++
		}
	}
}

func framesBody(name []byte) bool {
	name = bytes.TrimSpace(name)
	return bytes.EqualFold(name, []byte("Content-Length")) || bytes.EqualFold(name, []byte("Transfer-Encoding"))
}
