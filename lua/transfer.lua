-- transfer: moves jobs into the `wait` of another queue, with their data and attempt history: dead letters into their
-- queue, and back to where they came from. Both queues have to live on the same node.
-- KEYS  meta · job · wait · delayed · active · parents · completed · failed · run · state · outcome · history · progress · logs · expire · dedup · outbox · pending · orphans · marker · events · target.meta · target.job · target.wait · target.state · target.history · target.marker · target.events
-- ARGV  prefix · queue · items · direction
--       items      MessagePack [id, lease ('' for a job that nobody holds), attemptsMade, entry, outcome, …]
--       direction  'bury': dead letters, held by the caller or in `failed` · 'return': any that nobody holds
--       prefix, queue  the name of this queue, by which a buried job remembers where it came from
-- REPLY per item: 1 moved, 0 refused (the lease has passed on, or the job is not where it should be) · letters [id, letter, …]
-- COST  O(items · log n), at most 250
local meta, job, wait, delayed, active, parents, completed, failed, run, state, outcome, history, progress, logs, expire, dedup, outbox, pending, orphans, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20],
  KEYS[21]
local target = { meta = KEYS[22], job = KEYS[23], wait = KEYS[24], state = KEYS[25], history = KEYS[26], marker = KEYS[27], events = KEYS[28] }
-- include shared/now.lua
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/facts.lua
-- include shared/history.lua
-- include shared/forget.lua
-- include shared/typed.lua
local moved = {}
-- include shared/release.lua

local items, bury = cmsgpack.unpack(ARGV[3]), ARGV[4] == 'bury'
local flags, gone, outcomes, arrived = {}, {}, {}, {}

local function holds(id, lease)
  if lease ~= '' then return redis.call('HGET', run, id) == lease end
  if bury then return redis.call('ZSCORE', failed, id) end
  return redis.call('HEXISTS', run, id) == 0
end

-- A call that is sent again finds its jobs there already. It writes them once more, so that a WAIT has something to wait for.
local function isThere(id)
  local packed = bury and redis.call('HGET', target.state, id)
  local origin = packed and readFacts(packed).dl
  local there = origin and origin[1] == ARGV[1] and origin[2] == ARGV[2] and redis.call('HEXISTS', job, id) == 0
  if there then redis.call('HSET', target.state, id, packed) end
  return there
end

-- An id that the other queue knows already is kept apart by the time.
local function freeId(id)
  return redis.call('HEXISTS', target.job, id) == 1 and id .. '~' .. string.format('%.0f', now) or id
end

typed({ meta, job, run, state, outcome, history, progress, logs, dedup, outbox, pending }, { wait, delayed, active, parents, completed, failed, expire, marker }, events, orphans)
typed({ target.meta, target.job, target.state, target.history }, { target.wait, target.marker }, target.events)
for i = 1, #items, 5 do
  local id, lease, attemptsMade, entry, result = unpack(items, i, i + 4)
  local record = holds(id, lease) and redis.call('HGET', job, id)
  flags[#flags + 1] = (record or isThere(id)) and 1 or 0
  if record then
    if entry ~= '' then chronicle(id, entry) end
    local known, past = facts(id), redis.call('HGET', history, id)
    if result == '' then result = redis.call('HGET', outcome, id) or '' end
    local readable, ended = pcall(cmsgpack.unpack, result)
    local reason = readable and type(ended) == 'table' and type(ended[1]) == 'string' and ended[1] or ''
    local origin = bury and { ARGV[1], ARGV[2], now, attemptsMade, reason } or nil
    local there, priority = freeId(id), known.pr or 0
    redis.call('HSET', target.job, there, record)
    if origin or priority > 0 then redis.call('HSET', target.state, there, cmsgpack.pack({ dl = origin, pr = priority > 0 and priority or nil })) end
    if past then redis.call('HSET', target.history, there, past) end
    local low, high, _, top, start = band(priority)
    local last = redis.call('ZREVRANGEBYSCORE', target.wait, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
    redis.call('ZADD', target.wait, math.min((last[2] and tonumber(last[2]) or start) + 1, top), there)
    gone[#gone + 1], outcomes[#outcomes + 1], arrived[#arrived + 1] = id, result, { 'waiting', there }
    moved[#moved + 1] = bury and lease ~= '' and { 'failed', id, result } or { 'removed', id }
  end
end
if #gone > 0 then
  for _, set in ipairs({ wait, delayed, active, parents, completed, failed }) do redis.call('ZREM', set, unpack(gone)) end
  redis.call('HDEL', run, unpack(gone))
  release(gone, bury and 'dropped' or 'removed', outcomes)
  forget(gone)
  local here = tonumber(redis.call('HGET', meta, 'maxEvents') or 10000)
  publish(here, #gone, 'moved', cmsgpack.pack(moved))
  local settings = redis.call('HMGET', target.meta, 'paused', 'maxEvents')
  if not settings[1] then redis.call('ZADD', target.marker, 0, '0') end
  if settings[2] ~= '0' then
    redis.call('XADD', target.events, 'MAXLEN', '~', settings[2] or 10000, '*', 'moved', cmsgpack.pack(arrived))
  end
end
return { flags, letters }
