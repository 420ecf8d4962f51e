package main

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// sockets plays ping-pong with 64 bytes over open sockets, each of another person.
func (s spec) sockets() (result, error) {
	conns := make([]*websocket.Conn, s.Connections)
	for i := range conns {
		c, resp, err := websocket.DefaultDialer.Dial("ws://"+s.Address+"/ws/x?token="+s.Tokens[i], nil)
		if err != nil {
			return result{}, err
		}
		_ = resp.Body.Close()
		defer c.Close()
		conns[i] = c
	}
	text := []byte(strings.Repeat("p", 64))
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
