package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// opening is how many connections are opened at once.
const opening = 16

// idle opens connections, has each of them used once, and holds them.
func (s spec) idle(hold func(result) error) (result, error) {
	var mu sync.Mutex
	var all []io.Closer
	var failed error
	defer func() {
		for _, c := range all {
			_ = c.Close()
		}
	}()
	next := make(chan string)
	var wg sync.WaitGroup
	for range opening {
		wg.Go(func() {
			for token := range next {
				c, err := s.openIdle(token)
				mu.Lock()
				if c != nil {
					all = append(all, c)
				}
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	begun := time.Now()
	for _, token := range s.Tokens {
		next <- token
	}
	close(next)
	wg.Wait()
	r := result{Count: len(all), Elapsed: time.Since(begun)}
	if failed != nil {
		return r, failed
	}
	return r, hold(r)
}

func (s spec) openIdle(token string) (io.Closer, error) {
	if s.Kind == loadWaiting {
		return openStream(s.Address, token)
	}
	c, err := openSocket(s.Address, token)
	if err != nil {
		return nil, err
	}
	if err := c.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		return c, err
	}
	_, _, err = c.ReadMessage()
	return c, err
}

// openStream asks for a stream on a connection of its own, and reads its first event.
func openStream(address, token string) (net.Conn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(c, "GET /custom/waiting HTTP/1.1\r\nHost: %s\r\n%s: 1\r\nAuthorization: Bearer %s\r\n\r\n", address, headerBench, token); err != nil {
		return c, err
	}
	in := bufio.NewReader(c)
	status, err := in.ReadString('\n')
	if err == nil && !strings.Contains(status, " 200 ") {
		err = fmt.Errorf("%q", status)
	}
	for line := status; err == nil && !strings.HasPrefix(line, "data:"); {
		line, err = in.ReadString('\n')
	}
	return c, err
}
