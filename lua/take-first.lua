-- take-first: takes the first waiting job for a worker that has waited for the marker: the call is sent right behind the wait, and is run when that ends.
-- KEYS  meta · job · wait · active · run · state · sessions · marker · events
-- ARGV  session · seq · leaseMs · asked ('1' to be told what came of a call of this number, which then does nothing more; else '')
-- REPLY [now, lease, id, record, facts or nil], or nil when nothing waits, or when a pause, a limit or a lost record leaves it to settle
-- COST  O(log n)
local meta, job, wait, active, run, state, sessions, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
-- Most waits end without a job: then this is all.
if ARGV[4] == '' and redis.call('EXISTS', wait) == 0 then return false end
-- include shared/now.lua
-- include shared/publish.lua
-- include shared/sessions.lua

local session, seq = ARGV[1], ARGV[2]
local earlier = replayed(session, seq)
if earlier then
  if type(earlier) ~= 'table' then return false end
  if earlier.err then return earlier end
  local lease, id = earlier[1], earlier[2]
  local isHeld = type(id) == 'string' and redis.call('HGET', run, id) == lease
  local record = isHeld and redis.call('HGET', job, id)
  return record and { now, lease, id, record, redis.call('HGET', state, id) }
end

if ARGV[4] ~= '' then
  redis.call('HDEL', sessions, '') -- a write before the other one that Redis allows when it is out of memory
  settled(session, seq, '')
  return false
end

-- include shared/settings.lua
if isLimited then return false end
local first = redis.call('ZRANGE', wait, '0', '1')
local id = first[1]
local record = id and redis.call('HGET', job, id)
if not record then return false end
local facts = redis.call('HGET', state, id)

-- include shared/clock.lua
local lease = session .. ':' .. seq .. '|' .. clock
redis.call('ZREMRANGEBYRANK', wait, '0', '0')
redis.call('ZADD', active, string.format('%.0f', now + tonumber(ARGV[3])), id)
redis.call('HSET', run, id, lease)
if first[2] then redis.call('ZADD', marker, '0', '0') end -- wakes the next worker
settled(session, seq, { lease, id })
publish(tonumber(settings[2] or 10000), 1, 'active', id)
return { now, lease, id, record, facts }
