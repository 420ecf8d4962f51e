package fleet

import "github.com/redis/go-redis/v9"

// The scripts, each of which Redis runs as one step. Times are Redis's own, in
// milliseconds.
var (
	// aliveScript: KEYS alive, born; ARGV lease, life of born. It returns 1 if the process
	// was known to be alive, and 0 if it is only now; and how long nobody claims anything.
	aliveScript = redis.NewScript(`
local t = redis.call('TIME')
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('SET', KEYS[2], t[1] * 1000 + math.floor(t[2] / 1000), 'PX', ARGV[2])
else
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
local known = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
local now = t[1] * 1000 + math.floor(t[2] / 1000)
return {known, math.max(0, tonumber(redis.call('GET', KEYS[2])) + ARGV[1] - now)}`)

	// claimScript: KEYS alive, born, people...; ARGV token, process, what stands before
	// the name of a process that is alive, lease, life of a claim. It returns what it has
	// come to, and a token or how long to wait. A Redis that has just come to life may
	// have forgotten who has which person: nobody claims anything until they have given it up.
	claimScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return {'lost', ''} end
local t = redis.call('TIME')
local born = tonumber(redis.call('GET', KEYS[2]))
if not born then return {'lost', ''} end
local young = born + ARGV[4] - (t[1] * 1000 + math.floor(t[2] / 1000))
if young > 0 then return {'wait', tostring(young)} end
for n = 3, #KEYS do
  local token = redis.call('GET', KEYS[n])
  if token then
    local owner = string.match(token, '^[^:]*')
    if owner == '' then return {'wait', tostring(math.max(1, redis.call('PTTL', KEYS[n])))} end
    if owner ~= ARGV[2] and redis.call('EXISTS', ARGV[3] .. owner) == 1 then return {'other', token} end
  end
end
for n = 3, #KEYS do redis.call('SET', KEYS[n], ARGV[1], 'PX', ARGV[5]) end
return {'own', ARGV[1]}`)

	// releaseScript: KEYS people...; ARGV token, rest. For the rest nobody claims the
	// person.
	releaseScript = redis.NewScript(`
local n = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    redis.call('SET', key, ':', 'PX', ARGV[2])
    n = n + 1
  end
end
return n`)

	// keepScript: KEYS people...; ARGV token, life of a claim.
	keepScript = redis.NewScript(`
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then redis.call('PEXPIRE', key, ARGV[2]) end
end
return 1`)
)
