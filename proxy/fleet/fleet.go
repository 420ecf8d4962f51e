package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catflap/catflap/internal/wait"
	"github.com/catflap/catflap/proxy/chat"
)

// Options are the parts of a Fleet.
type Options struct {
	// Client is of the Redis that all share. It is not closed.
	Client *redis.Client
	// Prefix stands before each key; empty means "catflap:".
	Prefix string
	// Keys are at least 32 bytes each, the same in all: the first seals, all open.
	Keys [][]byte
	Log  *slog.Logger

	times times
}

// times are what a fleet waits for. Tests shorten them.
type times struct {
	lease  time.Duration // a process that has not been heard of for so long has nothing
	renew  time.Duration // between two renewals of that
	margin time.Duration // before its end everything is given up
	rest   time.Duration // nobody claims a person who has just been released
	beat   time.Duration // between two signs of life to those who are watched
	silent time.Duration // who gives none for so long is gone
	call   time.Duration // bounds a call of Redis
}

func defaultTimes() times {
	return times{
		lease: 6 * time.Second, renew: 2 * time.Second, margin: time.Second, rest: 150 * time.Millisecond,
		beat: time.Second, silent: 4 * time.Second, call: 2 * time.Second,
	}
}

const (
	// claimLife and bornLife are so long that only what nobody cares for any more ends
	// by them.
	claimLife = 24 * time.Hour
	claimKeep = time.Hour
	bornLife  = 7 * 24 * time.Hour
	// inboxLife is how long what was sent to a process that has ended stays.
	inboxLife = time.Minute
)

// Fleet implements chat.Fleet.
type Fleet struct {
	o        Options
	keys     keyring
	self     string
	listener chat.Listener
	started  chan struct{}
	stop     context.Context
	end      context.CancelFunc
	running  sync.WaitGroup

	mu     sync.Mutex
	alive  time.Time         // until when this process's claims stand
	fault  error             // of the last time that it said so
	blank  time.Time         // until when it claims nothing, having lost its claims
	young  time.Time         // until when nobody claims anything, since Redis is new
	lapse  *time.Timer       // gives up what it has
	claims map[string]string // tokens, and whose they are
	kept   time.Time
	links  map[string]*link

	reading map[string]*arriving // the reader's own
}

// New makes a fleet of all who share a Redis and its keys. It does not wait for Redis.
func New(o Options) (*Fleet, error) {
	if o.Client == nil {
		return nil, errors.New("fleet: no Redis")
	}
	keys, err := newKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	if o.Prefix == "" {
		o.Prefix = "catflap:"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.times == (times{}) {
		o.times = defaultTimes()
	}
	f := &Fleet{
		o: o, self: rand.Text(), started: make(chan struct{}), claims: map[string]string{},
		links: map[string]*link{}, reading: map[string]*arriving{},
	}
	f.keys.list.Store(keys)
	f.stop, f.end = context.WithCancel(context.Background())
	return f, nil
}

// Rekey sets other keys, those of New's kind. They are derived before they are in
// force: with an error the old ones stay. Who shares no key with another process hears
// nothing of it until that one has the new keys too.
func (f *Fleet) Rekey(secrets [][]byte) error {
	keys, err := newKeys(secrets)
	if err == nil {
		f.keys.list.Store(keys)
	}
	return err
}

// Listen implements chat.Fleet. From here on this process is one of the fleet.
func (f *Fleet) Listen(l chat.Listener) {
	f.listener = l
	f.running.Go(f.stayAlive)
	f.running.Go(f.read)
	f.running.Go(f.beat)
}

// Close sends what waits, for a short time, and leaves the fleet. It is called when no
// socket is open any more.
func (f *Fleet) Close() {
	f.flush()
	f.end()
	f.running.Wait()
	f.mu.Lock()
	if f.lapse != nil {
		f.lapse.Stop()
	}
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), f.o.times.call)
	defer cancel()
	_ = f.o.Client.Del(ctx, f.aliveKey(f.self), f.inboxKey(f.self)).Err() // they end by themselves
}

func (f *Fleet) aliveKey(process string) string { return f.o.Prefix + "fleet:alive:" + process }
func (f *Fleet) inboxKey(process string) string { return f.o.Prefix + "fleet:inbox:" + process }
func (f *Fleet) bornKey() string                { return f.o.Prefix + "fleet:born" }
func (f *Fleet) people(person string) []string {
	return f.keys.people(f.o.Prefix+"fleet:person:", person)
}

// sleep waits, and reports whether the fleet goes on.
func (f *Fleet) sleep(d time.Duration) bool { return wait.For(f.stop, d) == nil }
