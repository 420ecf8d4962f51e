package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// patience bounds each wait for an answer.
const patience = 10 * time.Second

// line is a raw connection of a client.
type line struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	all  bytes.Buffer // every byte of the answers
}

// answer is what came back, its body read to the end.
type answer struct {
	status int
	header http.Header
	body   []byte
	last   bool // the connection ends with it
}

// dial connects from 127.0.0.2, so that an address that a client claims can be
// told from its own.
func dial(t testing.TB, addr string) *line {
	t.Helper()
	l := dialQuietly(t, addr)
	t.Cleanup(l.close)
	return l
}

// dialQuietly is dial for a connection that is closed long before the test ends.
func dialQuietly(t testing.TB, addr string) *line {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: patience}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, conn: conn}
	l.r = bufio.NewReader(io.TeeReader(conn, &l.all))
	return l
}

func (l *line) close() { _ = l.conn.Close() }

// send writes raw bytes. A peer that has hung up already is no failure: the
// answer tells.
func (l *line) send(raw string) {
	_ = l.conn.SetWriteDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(l.conn, raw)
}

// receive reads one answer to a request of that method. io.EOF means that the
// connection was closed instead.
func (l *line) receive(method string) (answer, error) { return l.receiveWithin(method, patience) }

func (l *line) receiveWithin(method string, limit time.Duration) (answer, error) {
	_ = l.conn.SetReadDeadline(time.Now().Add(limit))
	if _, err := l.r.Peek(1); err != nil {
		return answer{}, err
	}
	res, err := http.ReadResponse(l.r, &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusSwitchingProtocols {
		return answer{status: res.StatusCode, header: res.Header}, nil
	}
	body, err := io.ReadAll(res.Body)
	return answer{status: res.StatusCode, header: res.Header, body: body, last: res.Close}, err
}

// exchange sends raw bytes on a connection of their own and returns the first
// answer; a connection that was closed without one is status 0.
func exchange(t testing.TB, addr, method, raw string) answer {
	t.Helper()
	l := dialQuietly(t, addr)
	defer l.close()
	l.send(raw)
	a, err := l.receive(method)
	if err != nil && a.status == 0 && !isHangUp(err) {
		t.Fatalf("no answer to %q: %v", clip([]byte(raw), 300), err)
	}
	noSecret(t, "an answer", l.all.Bytes())
	return a
}

// isHangUp reports that the peer closed the connection, in one way or another.
func isHangUp(err error) bool {
	var timeout net.Error
	return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout())
}

// aMoment is how long a further answer may take to be noticed.
const aMoment = 300 * time.Millisecond

// drain reads all answers that come, and reports whether the peer closed the
// connection after them. It does not hang up itself: that would end the request.
func (l *line) drain() (statuses []int, closed bool) {
	l.t.Helper()
	limit := patience
	for {
		a, err := l.receiveWithin("POST", limit)
		if a.status != 0 {
			statuses = append(statuses, a.status)
		}
		if err != nil || a.status == http.StatusSwitchingProtocols {
			return statuses, isHangUp(err)
		}
		limit = aMoment
	}
}

// refusal asserts the form of a refusal: a JSON object that an old client can
// read, never cached, with nothing of the request in it.
func (a answer) refusal(t testing.TB, status ...int) {
	t.Helper()
	for _, s := range status {
		if a.status != s {
			continue
		}
		var body map[string]any
		if err := json.Unmarshal(a.body, &body); err != nil {
			t.Errorf("the body of a %d is no JSON object: %q", a.status, clip(a.body, 200))
		}
		return
	}
	t.Errorf("status %d, want one of %v: %s", a.status, status, clip(a.body, 300))
}

// get is a plain request; status 0 means that nobody answers.
func get(ctx context.Context, url string) (int, string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, ""
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, string(body)
}

// maskedText is one short text frame of a client (RFC 6455 §5.2), masked with
// noughts.
func maskedText(text string) string {
	return string([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}) + text
}
