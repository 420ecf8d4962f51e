package session

import (
	"context"
	"errors"
	"time"
)

// Store keeps bytes with a time to live, shared by all Catflaps that share it. It is
// called by many goroutines at once. Each method changes the store in one step or
// not at all, so that a process may be killed at any moment.
//
// Keys of entries, of Once and of Lock are apart from each other.
type Store interface {
	// Create stores a value under a new key, to be found by the indexes too. It
	// returns ErrExists, or ErrFull where the store is bounded.
	Create(ctx context.Context, key string, value []byte, ttl time.Duration, indexes ...string) error
	// Get returns the value, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)
	// Replace sets another value and keeps the time to live. ErrNotFound: it never
	// brings back what has ended.
	Replace(ctx context.Context, key string, value []byte) error
	// Touch sets another time to live, or returns ErrNotFound.
	Touch(ctx context.Context, key string, ttl time.Duration) error
	// Delete reports true to exactly one of several callers, and false where
	// nothing was.
	Delete(ctx context.Context, key string) (bool, error)
	// Take is Get and Delete in one step: one caller gets the value, the others
	// ErrNotFound.
	Take(ctx context.Context, key string) ([]byte, error)
	// Find returns the keys under an index that still exist, in no order.
	Find(ctx context.Context, index string) ([]string, error)
	// Once reports true to the first caller within ttl.
	Once(ctx context.Context, key string, ttl time.Duration) (bool, error)
	// Forget lets Once report true again.
	Forget(ctx context.Context, key string) error
	// Lock reports false if somebody else holds the lock. Unlock releases one's own
	// lock only; that of an owner who has crashed ends with ttl.
	Lock(ctx context.Context, key string, ttl time.Duration) (unlock func(), ok bool, err error)
	// Publish sends a message, which must not be empty, to every subscriber of all
	// Catflaps, the own ones too.
	Publish(ctx context.Context, message []byte) error
	// Subscribe returns the messages from now on. It mends a lost connection by
	// itself, and then sends a nil message: some may have been missed. The channel is
	// closed when ctx ends or the store is closed.
	Subscribe(ctx context.Context) (<-chan []byte, error)
	// Ready says why the store can't be used, without a secret.
	Ready(ctx context.Context) error
	// Close ends the subscriptions. The store can't be used afterwards.
	Close() error
}

// Errors of a store. Any other is a fault of the moment, and a *StoreError.
var (
	ErrNotFound = errors.New("session: not in the store")
	ErrExists   = errors.New("session: the key is taken")
	ErrFull     = errors.New("session: the store is full")
	ErrClosed   = errors.New("session: the store is closed")
)

// StoreError means that the store could not be asked, or has not been read yet.
type StoreError struct{ Err error }

func (e *StoreError) Error() string { return "session: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// StoreFails reports an error for which the store is to blame, and neither a person nor
// a provider.
func StoreFails(err error) bool {
	return errors.As(err, new(*StoreError)) || errors.Is(err, ErrFull) || errors.Is(err, ErrClosed)
}
