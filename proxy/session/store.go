package session

import (
	"context"
	"errors"
	"time"
)

// The errors of a Store, and of what is built on it.
var (
	// ErrNotFound means that there is nothing under the key, or no more.
	ErrNotFound = errors.New("there is nothing under the key")
	// ErrFull means that the bound on entries is reached.
	ErrFull = errors.New("no more sessions can be kept")
)

// Store keeps bytes, each with a time to live, for all Catflaps that share it. It
// is used by many goroutines at once. A durable state is reached by one step: who
// is killed at any moment leaves nothing half done. Package sessiontest says in
// tests what each method must do.
type Store interface {
	// Create keeps a value under a new key, and finds it by the indexes too.
	Create(ctx context.Context, key string, value []byte, ttl time.Duration, indexes ...string) error
	// Get returns a value, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)
	// Replace changes a value that exists, and leaves its time to live; ErrNotFound
	// otherwise: nothing comes back that way.
	Replace(ctx context.Context, key string, value []byte) error
	// Touch gives a value that exists a new time to live; ErrNotFound otherwise.
	Touch(ctx context.Context, key string, ttl time.Duration) error
	// Delete removes a value, and reports whether it was this call that did.
	Delete(ctx context.Context, key string) (bool, error)
	// Take is Get and Delete in one: of several callers, one gets the value.
	Take(ctx context.Context, key string) ([]byte, error)
	// Find returns the keys with an index that exist still.
	Find(ctx context.Context, index string) ([]string, error)
	// Once reports true to the first caller for a key, until ttl has passed.
	Once(ctx context.Context, key string, ttl time.Duration) (bool, error)
	// Lock takes a lock, without waiting. unlock gives back one's own alone; that of
	// an owner who has crashed ends with ttl.
	Lock(ctx context.Context, key string, ttl time.Duration) (unlock func(), ok bool, err error)
	// Publish tells every subscriber of every Catflap.
	Publish(ctx context.Context, message []byte) error
	// Subscribe calls told for each message until ctx ends, one at a time, and once
	// with nil when messages may have been missed.
	Subscribe(ctx context.Context, told func(message []byte))
	// Ready reports why the store can't be used now.
	Ready(ctx context.Context) error
	// Close gives up connections.
	Close() error
}
