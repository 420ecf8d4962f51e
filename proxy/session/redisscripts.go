package session

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// The scripts. KEYS are whole; what is read out of an entry, the names of its indexes,
// is whole too. Redis runs each without another client in between, and stores all of
// it or nothing.
var (
	// createScript: KEYS entry, indexes...; ARGV value, ttl, key, packed names of the
	// indexes. A few members of each index are looked at, so that an index in steady use
	// does not fill with what has expired: ARGV 5 is what stands before an entry's key.
	createScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'i', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
for n = 2, #KEYS do
  for _, key in ipairs(redis.call('SRANDMEMBER', KEYS[n], 8)) do
    if redis.call('EXISTS', ARGV[5] .. key) == 0 then redis.call('SREM', KEYS[n], key) end
  end
  redis.call('SADD', KEYS[n], ARGV[3])
  if redis.call('PTTL', KEYS[n]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[n], ARGV[2]) end
end
return 1`)

	// replaceScript: KEYS entry; ARGV value.
	replaceScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[1])
return 1`)

	// touchScript: KEYS entry; ARGV ttl. An index lives as long as the longest-lived
	// under it.
	touchScript = redis.NewScript(`
local names = redis.call('HGET', KEYS[1], 'i')
if not names then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local at = 1
while at <= #names do
  local size
  size, at = struct.unpack('>I8', names, at)
  local index = string.sub(names, at, at + size - 1)
  at = at + size
  local left = redis.call('PTTL', index)
  if left >= -1 and left < tonumber(ARGV[1]) then redis.call('PEXPIRE', index, ARGV[1]) end
end
return 1`)

	// takeScript: KEYS entry; ARGV key. It returns the value, or nil.
	takeScript = redis.NewScript(`
local entry = redis.call('HMGET', KEYS[1], 'v', 'i')
if not entry[2] then return false end
redis.call('DEL', KEYS[1])
local at = 1
while at <= #entry[2] do
  local size
  size, at = struct.unpack('>I8', entry[2], at)
  redis.call('SREM', string.sub(entry[2], at, at + size - 1), ARGV[1])
  at = at + size
end
return entry[1]`)

	// findScript: KEYS index; ARGV what stands before an entry's key.
	findScript = redis.NewScript(`
local found = {}
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', ARGV[1] .. key) == 1 then
    found[#found + 1] = key
  else
    redis.call('SREM', KEYS[1], key)
  end
end
return found`)

	// unlockScript: KEYS lock; ARGV owner.
	unlockScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`)
)

// Create implements Store.
func (r *Redis) Create(ctx context.Context, key string, value []byte, ttl time.Duration, indexes ...string) error {
	if ttl <= 0 {
		return ctx.Err()
	}
	keys := []string{r.entry(key)}
	var packed []byte
	for _, index := range indexes {
		name := r.indexed(index)
		keys = append(keys, name)
		packed = append(binary.BigEndian.AppendUint64(packed, uint64(len(name))), name...)
	}
	made, err := createScript.Run(ctx, r.client, keys, value, milliseconds(ttl), key, packed, r.entry("")).Int()
	if err != nil {
		return r.fault(err)
	}
	if made == 0 {
		return ErrExists
	}
	return nil
}

// Replace implements Store.
func (r *Redis) Replace(ctx context.Context, key string, value []byte) error {
	return r.found(replaceScript.Run(ctx, r.client, []string{r.entry(key)}, value))
}

// Touch implements Store.
func (r *Redis) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return r.found(touchScript.Run(ctx, r.client, []string{r.entry(key)}, milliseconds(ttl)))
}

// found reads the answer of a script that says whether there was an entry.
func (r *Redis) found(c *redis.Cmd) error {
	n, err := c.Int()
	if err != nil {
		return r.fault(err)
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}

// Delete implements Store.
func (r *Redis) Delete(ctx context.Context, key string) (bool, error) {
	_, err := r.Take(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Take implements Store.
func (r *Redis) Take(ctx context.Context, key string) ([]byte, error) {
	value, err := takeScript.Run(ctx, r.client, []string{r.entry(key)}, key).Text()
	if errors.Is(err, redis.Nil) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, r.fault(err)
	}
	return []byte(value), nil
}

// Find implements Store.
func (r *Redis) Find(ctx context.Context, index string) ([]string, error) {
	keys, err := findScript.Run(ctx, r.client, []string{r.indexed(index)}, r.entry("")).StringSlice()
	return keys, r.fault(err)
}
