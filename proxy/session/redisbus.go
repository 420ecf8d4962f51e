package session

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catflap/catflap/internal/wait"
)

// How a subscription is watched: a ping every so often, and a connection that has said
// nothing for two of them is lost, whatever TCP thinks.
const (
	busPing  = 5 * time.Second
	busRetry = time.Second
)

// Publish implements Store.
func (r *Redis) Publish(ctx context.Context, message []byte) error {
	return r.fault(r.client.Publish(ctx, r.channel(), message).Err())
}

// Subscribe implements Store. Where the server can't be reached now, it goes on trying
// in the background.
func (r *Redis) Subscribe(ctx context.Context) (<-chan []byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(r.stop, cancel)
	messages := make(chan []byte, backlog)
	ready := make(chan struct{})
	r.subs.Go(func() {
		defer close(messages)
		defer cancel()
		defer stop()
		b := &bus{store: r, messages: messages, ready: ready, tally: tally{key: r.prefix + "tally:" + rand.Text()}}
		for ctx.Err() == nil {
			b.connect(ctx)
			b.lost = true
			_ = wait.For(ctx, busRetry) // the loop asks ctx
		}
	})
	// What is published after the return arrives, if the server is there at all.
	_ = wait.Or(ctx, redisTime, ready)
	return messages, nil
}

// bus is one subscription, over one connection after another.
type bus struct {
	store    *Redis
	messages chan<- []byte
	ready    chan struct{} // closed when it hears for the first time
	hears    bool
	lost     bool // whether messages may have been missed
	last     atomic.Int64
	tally    tally
}

// connect subscribes and delivers until the connection is lost or ctx ends.
func (b *bus) connect(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first, end := context.WithTimeout(ctx, redisTime)
	sub := b.store.client.Subscribe(first, b.store.channel())
	_, err := sub.ReceiveTimeout(first, redisTime)
	end()
	if err != nil {
		_ = sub.Close()
		return
	}
	b.heard(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		b.watch(ctx, sub)
	}()
	b.deliver(ctx, sub)
	cancel()
	<-watching
}

// heard notes that the subscription stands, and tells of what was missed before.
func (b *bus) heard(ctx context.Context) {
	b.last.Store(time.Now().UnixNano())
	if b.lost {
		b.send(ctx, nil)
		b.lost = false
	}
	if !b.hears {
		b.hears = true
		close(b.ready)
	}
}

func (b *bus) deliver(ctx context.Context, sub *redis.PubSub) {
	for {
		got, err := sub.Receive(ctx)
		if err != nil {
			return
		}
		b.last.Store(time.Now().UnixNano())
		if m, ok := got.(*redis.Message); ok && m.Payload != "" {
			b.send(ctx, []byte(m.Payload))
		}
	}
}

// watch pings, and closes the subscription when nothing has come for too long or ctx
// ends, which is what ends Receive.
func (b *bus) watch(ctx context.Context, sub *redis.PubSub) {
	defer func() { _ = sub.Close() }()
	every := time.NewTicker(busPing)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-every.C:
			if now.UnixNano()-b.last.Load() > int64(2*busPing) {
				return
			}
			if sub.Ping(ctx) != nil {
				return
			}
			if b.tally.broken(ctx, b.store) {
				b.send(ctx, nil)
			}
		}
	}
}

func (b *bus) send(ctx context.Context, message []byte) {
	select {
	case b.messages <- message:
	case <-ctx.Done():
	}
}
