package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// spec is one load; it is handed to a process of its own.
type spec struct {
	Kind        string        // requests, sockets, down, up, events
	Address     string        // of the contender
	Path        string        // for requests
	Tokens      []string      // taken in turn
	Once        bool          // each token once at most
	Status      int           // that every answer must have; 0: any
	Connections int           // side by side
	For         time.Duration // how long
	Bytes       int64         // of a body
	Flood       []string      // tokens of further connections beside, whose answers do not count
	FloodOn     int           // how many of them
}

// result is what a load saw.
type result struct {
	Count    int
	Elapsed  time.Duration
	P50, P99 time.Duration
	Error    string
}

// runLoad reads a spec from stdin and writes its result.
func runLoad() error {
	var s spec
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		return err
	}
	run := map[string]func(spec) (result, error){
		"requests": loadRequests, "sockets": loadSockets, "down": loadBody, "up": loadBody, "events": loadEvents,
	}[s.Kind]
	if run == nil {
		return fmt.Errorf("no load %q", s.Kind)
	}
	r, err := run(s)
	if err != nil {
		r.Error = err.Error()
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// loadRequests asks over keep-alive connections, with as little of its own as can
// be: prepared heads, and answers read by their length.
func loadRequests(s spec) (result, error) {
	next := taker(s.Tokens, s.Once)
	stop := make(chan struct{})
	var wg, flood sync.WaitGroup
	flooded := taker(s.Flood, false)
	for range s.FloodOn {
		flood.Go(func() { _ = askUntil(s.Address, s.Path, 0, flooded, stop, func(time.Duration) {}) })
	}
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	begun := time.Now()
	timer := time.AfterFunc(s.For, func() { close(stop) })
	defer timer.Stop()
	for range s.Connections {
		wg.Go(func() {
			var took []time.Duration
			err := askUntil(s.Address, s.Path, s.Status, next, stop, func(d time.Duration) { took = append(took, d) })
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			failed = errors.Join(failed, err)
		})
	}
	wg.Wait()
	r := result{Count: len(all), Elapsed: time.Since(begun), P50: percentile(all, .5), P99: percentile(all, .99)}
	if timer.Stop() {
		close(stop)
	}
	flood.Wait()
	return r, failed
}

// taker hands out tokens in turn; with once it ends after the last.
func taker(tokens []string, once bool) func() (string, bool) {
	var mu sync.Mutex
	i := 0
	return func() (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		if len(tokens) == 0 || once && i >= len(tokens) {
			return "", false
		}
		i++
		return tokens[(i-1)%len(tokens)], true
	}
}

func askUntil(address, path string, status int, next func() (string, bool), stop <-chan struct{}, took func(time.Duration)) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	want := fmt.Sprintf("HTTP/1.1 %d", status)
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		token, ok := next()
		if !ok {
			return nil
		}
		begun := time.Now()
		if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: "+address+"\r\nX-Bench: 1\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Bearer "+token+"\r\n\r\n"); err != nil {
			return err
		}
		line, closed, err := readAnswer(in)
		if err != nil {
			return err
		}
		if status != 0 && !strings.HasPrefix(line, want) {
			return fmt.Errorf("answer %q, want %d", line, status)
		}
		took(time.Since(begun))
		if closed {
			_ = c.Close()
			if c, err = net.Dial("tcp", address); err != nil {
				return err
			}
			in.Reset(c)
		}
	}
}

// readAnswer reads one answer with a Content-Length.
func readAnswer(in *bufio.Reader) (status string, closed bool, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", false, err
		}
		line = strings.TrimRight(line, "\r\n")
		if first {
			status = line
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(name) {
		case "content-length":
			_, err = fmt.Sscan(value, &length)
		case "connection":
			closed = strings.EqualFold(strings.TrimSpace(value), "close")
		}
		if err != nil {
			return "", false, err
		}
	}
	_, err = in.Discard(length)
	return status, closed, err
}

// loadSockets plays ping-pong with 64 bytes over open sockets, each of another
// person.
func loadSockets(s spec) (result, error) {
	text := []byte(strings.Repeat("p", 64))
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var wg sync.WaitGroup
	conns := make([]*websocket.Conn, s.Connections)
	for i := range conns {
		c, resp, err := websocket.DefaultDialer.Dial("ws://"+s.Address+"/ws/x?token="+s.Tokens[i%len(s.Tokens)], nil)
		if err != nil {
			return result{}, err
		}
		_ = resp.Body.Close()
		defer c.Close()
		conns[i] = c
	}
	begun := time.Now()
	for _, c := range conns {
		wg.Go(func() {
			var took []time.Duration
			for time.Since(begun) < s.For {
				sent := time.Now()
				err := c.WriteMessage(websocket.TextMessage, text)
				if err == nil {
					_, _, err = c.ReadMessage()
				}
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				took = append(took, time.Since(sent))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	wg.Wait()
	return result{Count: len(all), Elapsed: time.Since(begun), P50: percentile(all, .5), P99: percentile(all, .99)}, failed
}

// loadBody sends or takes one large body; Count is in MiB.
func loadBody(s spec) (result, error) {
	begun := time.Now()
	req, err := http.NewRequest(http.MethodGet, "http://"+s.Address+"/custom/down?n="+fmt.Sprint(s.Bytes), nil)
	if s.Kind == "up" {
		req, err = http.NewRequest(http.MethodPost, "http://"+s.Address+"/custom/up", io.LimitReader(zeros{}, s.Bytes))
		if err == nil {
			req.ContentLength = s.Bytes
		}
	}
	if err != nil {
		return result{}, err
	}
	resp, err := send(req, s.Tokens[0])
	if err != nil {
		return result{}, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if s.Kind == "down" && err == nil && n != s.Bytes {
		err = fmt.Errorf("%d bytes came", n)
	}
	return result{Count: int(s.Bytes >> 20), Elapsed: time.Since(begun)}, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func send(req *http.Request, token string) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("X-Bench", "1")
	resp, err := (&http.Client{Timeout: time.Minute, Transport: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }, DisableCompression: true}}).Do(req) //nolint:nilnil // no proxy
	if err == nil && resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	return resp, err
}

// loadEvents measures how late each event of a stream comes.
func loadEvents(s spec) (result, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+s.Address+"/custom/events", nil)
	if err != nil {
		return result{}, err
	}
	begun := time.Now()
	resp, err := send(req, s.Tokens[0])
	if err != nil {
		return result{}, err
	}
	defer resp.Body.Close()
	var late []time.Duration
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		var at int64
		if n, _ := fmt.Sscanf(lines.Text(), "data: %d", &at); n == 1 {
			late = append(late, time.Since(time.Unix(0, at)))
		}
	}
	return result{Count: len(late), Elapsed: time.Since(begun), P50: percentile(late, .5), P99: percentile(late, .99)}, lines.Err()
}
