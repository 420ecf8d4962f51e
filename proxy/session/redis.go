package session

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisOptions say where the Redis or Valkey is.
type RedisOptions struct {
	// URL is redis:// or rediss://, with host, port and the database's number; no
	// user and no password.
	URL                string
	Username, Password string
	// TLS, if not nil, is used instead of the system's certificates. With rediss only.
	TLS *tls.Config
	// Prefix stands before each key. The default is catflap:
	Prefix string
}

// redisTimeout bounds each exchange: a request waits for it.
const redisTimeout = 2 * time.Second

// Redis is a Store that several Catflaps share.
type Redis struct {
	client *redis.Client
	prefix string
}

// NewRedis makes the store. Nothing is dialled yet, and an error holds no secret.
func NewRedis(o RedisOptions) (*Redis, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.User != nil {
		return nil, errors.New("redis: the url must be redis://host:port/db, without a password")
	}
	c, err := redis.ParseURL(o.URL)
	if err != nil {
		return nil, errors.New("redis: the url must be redis://host:port/db or rediss://host:port/db")
	}
	c.Username, c.Password = o.Username, o.Password
	if c.TLSConfig != nil && o.TLS != nil {
		t := o.TLS.Clone()
		t.ServerName = c.TLSConfig.ServerName
		c.TLSConfig = t
	}
	c.DialTimeout, c.ReadTimeout, c.WriteTimeout, c.PoolTimeout = redisTimeout, redisTimeout, redisTimeout, redisTimeout
	c.ContextTimeoutEnabled = true
	c.MaxRetries = 1
	c.DisableIdentity = true
	prefix := o.Prefix
	if prefix == "" {
		prefix = "catflap:"
	}
	return &Redis{client: redis.NewClient(c), prefix: prefix}, nil
}

func (r *Redis) key(k string) string      { return r.prefix + "s:" + k }
func (r *Redis) indexKey(i string) string { return r.prefix + "i:" + i }
func (r *Redis) onceKey(k string) string  { return r.prefix + "o:" + k }
func (r *Redis) lockKey(k string) string  { return r.prefix + "l:" + k }
func (r *Redis) channel() string          { return r.prefix + "events" }

func ms(d time.Duration) int64 { return max(1, d.Milliseconds()) }

// create writes a value and its indexes in one step. An index lives as long as the
// longest of what it finds.
var create = script(`
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
for i = 2, #KEYS do
  redis.call('SADD', KEYS[i], ARGV[3])
  if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
end
return 1`)

// unlock gives back a lock that is still one's own.
var unlock = script(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`)

func script(text string) func() *redis.Script {
	return func() *redis.Script { return redis.NewScript(text) }
}

// indexLife is how long an index outlives the value's present time to live, which
// is moved on while a session is used.
const indexLife = 90 * 24 * time.Hour

// Create implements [Store].
func (r *Redis) Create(ctx context.Context, key string, value []byte, ttl time.Duration, indexes ...string) error {
	keys := []string{r.key(key)}
	for _, i := range indexes {
		keys = append(keys, r.indexKey(i))
	}
	return fault(create().Run(ctx, r.client, keys, value, ms(ttl), key, ms(indexLife)).Err())
}

// Get implements [Store].
func (r *Redis) Get(ctx context.Context, key string) ([]byte, error) {
	b, err := r.client.Get(ctx, r.key(key)).Bytes()
	return b, fault(err)
}

// Replace implements [Store].
func (r *Redis) Replace(ctx context.Context, key string, value []byte) error {
	return fault(r.client.SetArgs(ctx, r.key(key), value, redis.SetArgs{Mode: "XX", KeepTTL: true}).Err())
}

// Touch implements [Store].
func (r *Redis) Touch(ctx context.Context, key string, ttl time.Duration) error {
	ok, err := r.client.PExpire(ctx, r.key(key), ttl).Result()
	if err == nil && !ok {
		return ErrNotFound
	}
	return fault(err)
}

// Delete implements [Store].
func (r *Redis) Delete(ctx context.Context, key string) (bool, error) {
	n, err := r.client.Del(ctx, r.key(key)).Result()
	return n == 1, fault(err)
}

// Take implements [Store].
func (r *Redis) Take(ctx context.Context, key string) ([]byte, error) {
	b, err := r.client.GetDel(ctx, r.key(key)).Bytes()
	return b, fault(err)
}

// Find implements [Store], and tidies the index.
func (r *Redis) Find(ctx context.Context, index string) ([]string, error) {
	all, err := r.client.SMembers(ctx, r.indexKey(index)).Result()
	if err != nil || len(all) == 0 {
		return nil, fault(err)
	}
	there := make([]*redis.IntCmd, len(all))
	if _, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range all {
			there[i] = p.Exists(ctx, r.key(key))
		}
		return nil
	}); err != nil {
		return nil, fault(err)
	}
	var keys []string
	for i, key := range all {
		if there[i].Val() == 1 {
			keys = append(keys, key)
		} else {
			r.client.SRem(ctx, r.indexKey(index), key) // tidying: the next look does it otherwise
		}
	}
	return keys, nil
}

// Once implements [Store].
func (r *Redis) Once(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	return r.first(ctx, r.onceKey(key), "1", ttl)
}

// Lock implements [Store].
func (r *Redis) Lock(ctx context.Context, key string, ttl time.Duration) (func(), bool, error) {
	own, at := rand.Text(), r.lockKey(key)
	ok, err := r.first(ctx, at, own, ttl)
	if err != nil || !ok {
		return nil, false, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisTimeout)
		defer cancel()
		_ = unlock().Run(ctx, r.client, []string{at}, own).Err() // it ends with its time otherwise
	}, true, nil
}

func (r *Redis) first(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	err := r.client.SetArgs(ctx, key, value, redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, fault(err)
}

// Publish implements [Store].
func (r *Redis) Publish(ctx context.Context, message []byte) error {
	return fault(r.client.Publish(ctx, r.channel(), message).Err())
}

// Subscribe implements [Store]. The library subscribes again after a lost
// connection; what was said meanwhile is missed, and that is told.
func (r *Redis) Subscribe(ctx context.Context, told func([]byte)) {
	s := r.client.Subscribe(ctx, r.channel())
	go func() {
		defer s.Close() //nolint:errcheck // nothing hangs on it
		subscribed := false
		for m := range s.ChannelWithSubscriptions(redis.WithChannelHealthCheckInterval(3 * time.Second)) {
			switch m := m.(type) {
			case *redis.Subscription:
				if m.Kind == "subscribe" && subscribed {
					told(nil)
				}
				subscribed = true
			case *redis.Message:
				told([]byte(m.Payload))
			}
		}
	}()
	context.AfterFunc(ctx, func() { _ = s.Close() })
}

// Ready implements [Store].
func (r *Redis) Ready(ctx context.Context) error { return fault(r.client.Ping(ctx).Err()) }

// Close implements [Store].
func (r *Redis) Close() error { return r.client.Close() }

// fault turns what the library says into an error of ours.
func fault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return ErrNotFound
	}
	return fmt.Errorf("the session store: %w", err)
}

var _ Store = (*Redis)(nil)
