-- promote: moves delayed jobs whose time has come into `wait`, behind their priority.
-- KEYS  meta · wait · delayed · state · sessions · marker · events
-- ARGV  limit · everything (1: due or not) · ids (MessagePack, '' for the soonest) · session · seq
-- REPLY how many were moved · when the next one is due in ms, 0 for never
-- COST  O(limit · log n), at most 1,000
local meta, wait, delayed, state, sessions, marker, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
-- include shared/now.lua
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/facts.lua
-- include shared/once.lua
-- include shared/typed.lua
if earlier then return earlier end

local ids
if ARGV[3] ~= '' then
  ids = {}
  for _, id in ipairs(cmsgpack.unpack(ARGV[3])) do
    if redis.call('ZSCORE', delayed, id) then ids[#ids + 1] = id end
  end
else
  local till = ARGV[2] == '1' and '+inf' or now
  ids = redis.call('ZRANGEBYSCORE', delayed, '-inf', till, 'LIMIT', 0, tonumber(ARGV[1]))
end
if #ids > 0 then
  local states = redis.call('EXISTS', state) == 1 and redis.call('HMGET', state, unpack(ids)) or {}
  local scores, moved = {}, {}
  for i, id in ipairs(ids) do
    local priority = states[i] and readFacts(states[i]).pr or 0
    scores[2 * i - 1], scores[2 * i] = tail(priority), id
    moved[i] = { 'waiting', id, 'delayed' }
  end
  typed({ meta }, { marker }, events)
  redis.call('ZREM', delayed, unpack(ids))
  redis.call('ZADD', wait, unpack(scores))
  local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
  if not settings[1] then wake() end
  publish(tonumber(settings[2] or 10000), #ids, 'moved', cmsgpack.pack(moved))
end
local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
return told({ #ids, first[2] and tonumber(first[2]) or 0 })
