-- redrive: puts finished jobs back into `wait`, by id or the oldest first.
-- KEYS  set · meta · job · wait · state · outcome · history · progress · expire · outbox · sessions · marker · events
-- ARGV  limit · till (finish time in ms at most, or +inf) · ids (MessagePack, '' for the oldest) · reset ('1': attempts start anew) · previous · session · seq
-- REPLY per id when ids were given: 1 moved, 0 not in that state, -1 no such job; otherwise how many were moved
-- COST  O(limit · log n), at most 1,000
local set, meta, job, wait, state, outcome, history, progress, expire, outbox, sessions, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13]
-- include shared/now.lua
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/facts.lua
-- include shared/letters.lua
-- include shared/once.lua
-- include shared/typed.lua
if earlier then return earlier end

local given = ARGV[3] ~= ''
local ids = given and cmsgpack.unpack(ARGV[3])
  or redis.call('ZRANGEBYSCORE', set, '-inf', ARGV[2], 'LIMIT', 0, tonumber(ARGV[1]))
typed({ meta, job, state, outcome, history, progress, outbox }, { set, wait, expire, marker }, events)
local flags, moved = {}, {}
for i, id in ipairs(ids) do
  if not redis.call('ZSCORE', set, id) then
    flags[i] = redis.call('HEXISTS', job, id) == 1 and 0 or -1
  else
    flags[i] = 1
    local known = facts(id)
    redis.call('ZREM', set, id)
    redis.call('ZADD', wait, tail(known.pr or 0), id)
    redis.call('HDEL', outcome, id)
    redis.call('HDEL', progress, id)
    redis.call('ZREM', expire, id)
    if ARGV[4]:find('m') then known.am = nil end
    if ARGV[4]:find('s') then known.as = nil end
    known.sc, known.su, known.df = nil, nil, nil
    if redis.call('HEXISTS', history, id) == 1 then known.rd = now end
    remember(id, known)
    if type(known.pk) == 'table' then write(id, known, 'retried', '') end
    moved[#moved + 1] = { 'waiting', id, ARGV[5] }
  end
end
post()
if #moved > 0 then
  local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
  if not settings[1] then wake() end
  publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
return told(given and flags or #moved)
