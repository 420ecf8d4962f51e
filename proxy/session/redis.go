package session

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// redisTime bounds each step of a call: dialling, writing, reading, and the wait for a
// connection.
const redisTime = 2 * time.Second

// RedisOptions say where a Redis or Valkey is.
type RedisOptions struct {
	// URL is redis://host:port/db, rediss://host:port/db for TLS, or
	// unix:///path?db=n. It holds neither a user nor a password: URLs are shown.
	URL                string
	Username, Password string
	// TLS, for rediss alone, says which authorities to trust. Nil means the system's authorities.
	TLS *tls.Config
	// Prefix stands before each key and the name of the channel; empty means "catflap:".
	Prefix string
}

// Redis is a Store that any number of Catflaps share.
//
// An entry is a hash of its value (v) and the names of its indexes (i, by their
// lengths); an index is a set of keys. Whatever touches more than one key is a script,
// which Redis runs as one step. Several keys in one script mean one server, or a
// primary with replicas, but no cluster.
type Redis struct {
	client *redis.Client
	prefix string

	mu     sync.Mutex
	closed bool
	stop   context.Context // ends the subscriptions
	end    context.CancelFunc
	subs   sync.WaitGroup
}

// NewRedis makes a store. It does not dial: a server that is down makes it unready.
func NewRedis(o RedisOptions) (*Redis, error) {
	options, err := parseRedis(o)
	if err != nil {
		return nil, err
	}
	quietRedis()
	if o.Prefix == "" {
		o.Prefix = "catflap:"
	}
	stop, end := context.WithCancel(context.Background())
	return &Redis{client: redis.NewClient(options), prefix: o.Prefix, stop: stop, end: end}, nil
}

// quietRedis turns off the client's own log, which is one for the whole process and
// knows nothing of ours. What goes wrong is in the errors.
var quietRedis = sync.OnceFunc(logging.Disable)

// parseRedis never shows the URL: somebody may have put a password in it all the same.
func parseRedis(o RedisOptions) (*redis.Options, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, errors.New("session: the Redis URL can't be read")
	}
	switch {
	case u.User != nil:
		return nil, errors.New("session: the Redis URL must hold no user and no password; they have settings of their own")
	case u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix":
		return nil, errors.New("session: the Redis URL must begin with redis://, rediss:// or unix://")
	case u.RawQuery != "" && u.Scheme != "unix", u.Fragment != "":
		return nil, errors.New("session: the Redis URL must have no query and no fragment")
	case o.TLS != nil && u.Scheme != "rediss":
		return nil, errors.New("session: TLS needs a Redis URL that begins with rediss://")
	}
	options, err := redis.ParseURL(o.URL)
	if err != nil {
		return nil, errors.New("session: the Redis URL is not valid: redis://host:port/db")
	}
	if o.TLS != nil {
		name := options.TLSConfig.ServerName
		options.TLSConfig = o.TLS.Clone()
		if options.TLSConfig.ServerName == "" {
			options.TLSConfig.ServerName = name
		}
	}
	options.Username, options.Password = o.Username, o.Password
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = redisTime, redisTime, redisTime, redisTime
	options.ContextTimeoutEnabled = true
	// A call whose answer is lost may have been carried out. To repeat it would be to
	// ask something else: is it still there, am I still the first? A connection that
	// the server has closed is seen before it is used.
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.DisableIdentity = true
	options.Protocol = 2
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return options, nil
}

func (r *Redis) entry(key string) string   { return r.prefix + "entry:" + key }
func (r *Redis) indexed(key string) string { return r.prefix + "index:" + key }
func (r *Redis) once(key string) string    { return r.prefix + "once:" + key }
func (r *Redis) lock(key string) string    { return r.prefix + "lock:" + key }
func (r *Redis) channel() string           { return r.prefix + "revocations" }

// fault tells a store's failure from an answer.
func (r *Redis) fault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.ErrClosed):
		return ErrClosed
	default:
		return &StoreError{fmt.Errorf("redis: %w", err)}
	}
}

// milliseconds is a time to live as Redis takes it: at least the shortest there is.
func milliseconds(ttl time.Duration) int64 { return max(1, ttl.Milliseconds()) }

// Get implements Store.
func (r *Redis) Get(ctx context.Context, key string) ([]byte, error) {
	value, err := r.client.HGet(ctx, r.entry(key), "v").Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, ErrNotFound
	}
	return value, r.fault(err)
}

// Once implements Store.
func (r *Redis) Once(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	return r.claim(ctx, r.once(key), "1", ttl)
}

// claim sets what is not set, in one command.
func (r *Redis) claim(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	err := r.client.Do(ctx, "SET", key, value, "NX", "PX", milliseconds(ttl)).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, r.fault(err)
}

// Forget implements Store.
func (r *Redis) Forget(ctx context.Context, key string) error {
	return r.fault(r.client.Del(ctx, r.once(key)).Err())
}

// Lock implements Store.
func (r *Redis) Lock(ctx context.Context, key string, ttl time.Duration) (func(), bool, error) {
	owner := rand.Text()
	ok, err := r.claim(ctx, r.lock(key), owner, ttl)
	if err != nil || !ok {
		return nil, false, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisTime)
		defer cancel()
		// If it fails, the lock ends with its time to live.
		_ = unlockScript.Run(ctx, r.client, []string{r.lock(key)}, owner).Err()
	}, true, nil
}

// Ready implements Store.
func (r *Redis) Ready(ctx context.Context) error {
	return r.fault(r.client.Ping(ctx).Err())
}

// Close implements Store.
func (r *Redis) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.end()
	r.subs.Wait()
	if err := r.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return r.fault(err)
	}
	return nil
}
