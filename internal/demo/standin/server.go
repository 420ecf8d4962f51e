package standin

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
)

// Running is a Cat that is being served.
type Running struct {
	*Cat
	URL string // such as http://127.0.0.1:1865

	server *http.Server
	done   chan error
}

// Start serves a new Cat on a free port of the loopback interface.
func Start(o Options) (*Running, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return New(o).Start(l), nil
}

// Start serves the Cat on a listener, which it takes over.
func (c *Cat) Start(l net.Listener) *Running {
	r := &Running{Cat: c, URL: "http://" + l.Addr().String(), server: c.Server(), done: make(chan error, 1)}
	go func() {
		r.done <- c.Serve(r.server, l)
		close(r.done) // closing twice is no error
	}()
	return r
}

// Server is the HTTP server with the Cat's manners: an idle connection lives for
// the time of Options.KeepAlive.
func (c *Cat) Server() *http.Server {
	return &http.Server{
		Handler:     c,
		IdleTimeout: c.options.KeepAlive,
		ErrorLog:    log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			if t, ok := conn.(*tap); ok {
				return context.WithValue(ctx, tapKey{}, t)
			}
			return ctx
		},
	}
}

// Serve answers on the listener until the server is closed; closing it is no error.
func (c *Cat) Serve(s *http.Server, l net.Listener) error {
	if err := s.Serve(taps{l}); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close stops the Cat as a signal does: sockets and requests are cut off.
func (r *Running) Close() error {
	r.Cat.Close()
	err := r.server.Close()
	if served := <-r.done; err == nil {
		err = served
	}
	return err
}
