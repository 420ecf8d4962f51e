package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// sockets plays ping-pong with a chat frame of 64 bytes over open sockets, each of
// another person.
func (s spec) sockets() (result, error) {
	conns := make([]*websocket.Conn, s.Connections)
	for i := range conns {
		c, err := openSocket(s.Address, s.Tokens[i])
		if err != nil {
			return result{}, err
		}
		defer c.Close()
		conns[i] = c
	}
	text := []byte(`{"type":"chat","content":"` + strings.Repeat("p", 36) + `"}`) // as a Cat answers
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var wg sync.WaitGroup
	begun := time.Now()
	for _, c := range conns {
		wg.Go(func() {
			took, err := pingPong(c, text, begun.Add(s.For))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			failed = errors.Join(failed, err)
		})
	}
	wg.Wait()
	return summary(all, time.Since(begun)), failed
}

func openSocket(address, token string) (*websocket.Conn, error) {
	c, resp, err := websocket.DefaultDialer.Dial("ws://"+address+"/ws/x", http.Header{"Authorization": {"Bearer " + token}})
	if resp != nil {
		_ = resp.Body.Close()
		if err != nil {
			err = fmt.Errorf("%w: status %d", err, resp.StatusCode)
		}
	}
	return c, err
}

func pingPong(c *websocket.Conn, text []byte, end time.Time) (took []time.Duration, err error) {
	for {
		sent := time.Now()
		if !sent.Before(end) {
			return took, nil
		}
		if err := c.WriteMessage(websocket.TextMessage, text); err != nil {
			return took, err
		}
		if _, _, err := c.ReadMessage(); err != nil {
			return took, err
		}
		took = append(took, time.Since(sent))
	}
}
