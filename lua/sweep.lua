-- sweep: retention by age, and the end of sessions and deduplication ids nobody uses any more. Bounded steps.
-- KEYS  meta · job · completed · failed · state · outcome · history · progress · logs · expire · sessions · dedup · pending · orphans
-- ARGV  completedAgeMs · failedAgeMs · limit · sessionAgeMs        (-1: that set has no age limit)
-- REPLY how many jobs were forgotten · 1 when more may be left
-- COST  O(limit · log n), at most 1,000
local meta, job, completed, failed, state, outcome, history, progress, logs, expire, sessions, dedup, pending, orphans =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13], KEYS[14]
-- include shared/now.lua
-- include shared/forget.lua
-- include shared/typed.lua

local limit, forgotten, more = tonumber(ARGV[3]), 0, 0

local function scan(key, cursorField, stale)
  local page = redis.call('HSCAN', key, redis.call('HGET', meta, cursorField) or '0', 'COUNT', 100)
  for i = 1, #page[2], 2 do
    local readable, value = pcall(cmsgpack.unpack, page[2][i + 1])
    if not readable or type(value) ~= 'table' or stale(value) then redis.call('HDEL', key, page[2][i]) end
  end
  if page[1] == '0' then redis.call('HDEL', meta, cursorField) else redis.call('HSET', meta, cursorField, page[1]) end
end

local function scanSessions()
  scan(sessions, 'sessionsCursor', function(call) return type(call[2]) ~= 'number' or call[2] < now - tonumber(ARGV[4]) end)
end

-- A queue at rest is swept by each of its workers: then only their own sessions are looked through.
if redis.call('EXISTS', completed, failed, expire, dedup) == 0 then
  scanSessions()
  return { 0, 0 }
end

typed({ meta, job, state, outcome, history, progress, logs, sessions, dedup, pending }, { completed, failed, expire }, nil, orphans)

-- Jobs with a rule of their own: `expire` says when, or +inf.
local due = redis.call('ZRANGEBYSCORE', expire, '-inf', now, 'LIMIT', 0, limit)
if #due > 0 then
  redis.call('ZREM', completed, unpack(due))
  redis.call('ZREM', failed, unpack(due))
  forget(due)
  forgotten = #due
  if #due == limit then more = 1 end
end

-- All others by the age of the set. The cursor passes over jobs with a rule of their own, so they are seen once.
local function age(set, field, ageMs)
  if ageMs < 0 then return end
  local from = redis.call('HGET', meta, field) or '-inf'
  -- A cursor from the future: the clock has been set back, or the age is longer than another sweeper's.
  if tonumber((from:gsub('^%(', ''))) > now - ageMs then from = '-inf' end
  local old = redis.call('ZRANGEBYSCORE', set, from, now - ageMs, 'WITHSCORES', 'LIMIT', 0, limit)
  if #old == 0 then return end
  local ids, gone = {}, {}
  for i = 1, #old, 2 do ids[#ids + 1] = old[i] end
  local own = redis.call('ZMSCORE', expire, unpack(ids))
  for i, id in ipairs(ids) do
    if not own[i] then gone[#gone + 1] = id end
  end
  local last = old[#old]
  if #ids == limit and #gone == 0 and last == from then last = '(' .. last end
  redis.call('HSET', meta, field, last)
  if #ids == limit then more = 1 end
  if #gone == 0 then return end
  redis.call('ZREM', set, unpack(gone))
  forget(gone)
  forgotten = forgotten + #gone
end
age(completed, 'sweptCompleted', tonumber(ARGV[1]))
age(failed, 'sweptFailed', tonumber(ARGV[2]))

scanSessions()
scan(dedup, 'dedupCursor', function(entry)
  if type(entry.till) ~= 'number' or type(entry.id) ~= 'string' then return true end
  if entry.till == 0 then return redis.call('HEXISTS', job, entry.id) == 0 end
  return entry.till < now and not entry.last
end)
return { forgotten, more }
