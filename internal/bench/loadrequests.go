package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// requests asks over keep-alive connections, with as little of its own as can be:
// heads made of three texts, and answers read by their length.
func (s spec) requests() (result, error) {
	stop := make(chan struct{})
	var wg, flood sync.WaitGroup
	flooded := taker(s.Flood, false)
	for range s.FloodOn {
		flood.Go(func() { _ = askUntil(s.Address, 0, flooded, stop, func(time.Duration) {}) })
	}
	next := taker(s.Tokens, s.Once)
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	begun := time.Now()
	timer := time.AfterFunc(s.For, func() { close(stop) })
	for range s.Connections {
		wg.Go(func() {
			var took []time.Duration
			err := askUntil(s.Address, s.Status, next, stop, func(d time.Duration) { took = append(took, d) })
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			failed = errors.Join(failed, err)
		})
	}
	wg.Wait()
	elapsed := time.Since(begun)
	if timer.Stop() { // the tokens, or the connections, were at their end before the time
		close(stop)
	}
	flood.Wait()
	return summary(all, elapsed), failed
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

// askUntil asks over one connection, or a new one where it is closed, until stop or the
// end of the tokens. A status of 0 takes any answer.
func askUntil(address string, status int, next func() (string, bool), stop <-chan struct{}, took func(time.Duration)) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer func() { c.Close() }()
	in := bufio.NewReader(c)
	head := "GET / HTTP/1.1\r\nHost: " + address + "\r\n" + headerBench + ": 1\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Bearer "
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
		if _, err := io.WriteString(c, head+token+"\r\n\r\n"); err != nil {
			return err
		}
		got, closed, err := readAnswer(in)
		if err != nil {
			return err
		}
		if status != 0 && got != status {
			return fmt.Errorf("status %d, want %d", got, status)
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

var errAnswer = errors.New("an answer that is no HTTP/1 with a Content-Length")

// readAnswer reads one answer with a Content-Length.
func readAnswer(in *bufio.Reader) (status int, closed bool, err error) {
	length := -1
	for first := true; ; first = false {
		raw, err := in.ReadSlice('\n')
		if err != nil {
			return 0, false, err
		}
		line := strings.TrimRight(string(raw), "\r\n")
		if line == "" {
			break
		}
		if first {
			if len(line) < len("HTTP/1.1 200") {
				return 0, false, errAnswer
			}
			status, err = strconv.Atoi(line[9:12])
		} else {
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			switch {
			case strings.EqualFold(name, "Content-Length"):
				length, err = strconv.Atoi(value)
			case strings.EqualFold(name, "Connection"):
				closed = strings.EqualFold(value, "close")
			}
		}
		if err != nil {
			return 0, false, err
		}
	}
	if length < 0 {
		return 0, false, errAnswer
	}
	_, err = in.Discard(length)
	return status, closed, err
}
