-- clean: removes the first jobs of one state whose score is at most `till`: a step of clean, drain and obliterate.
-- KEYS  set · meta · job · wait · delayed · run · state · outcome · history · progress · logs · expire · dedup · outbox · pending · orphans · sessions · marker · events
-- ARGV  limit · till (a score, or +inf) · event ('' for none) · from (the lowest score) · session · seq
-- REPLY the ids that were removed · letters [id, letter, …]
-- COST  O(limit · log n), at most 1,000
local set, meta, job, wait, delayed, run, state, outcome, history, progress, logs, expire, dedup, outbox, pending, orphans, sessions, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19]
-- include shared/now.lua
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/forget.lua
-- include shared/once.lua
-- include shared/typed.lua
local moved = {}
-- include shared/release.lua

if earlier then return earlier end
local till = ARGV[2]
if till:sub(1, 4) == 'ago:' then till = now - tonumber(till:sub(5)) end
local ids = redis.call('ZRANGEBYSCORE', set, ARGV[4], till, 'LIMIT', 0, tonumber(ARGV[1]))
if #ids == 0 then return told({ ids, letters }) end
typed({ meta, job, run, state, outcome, history, progress, logs, dedup, outbox, pending }, { wait, delayed, expire, marker }, events, orphans)
redis.call('ZREM', set, unpack(ids))
redis.call('HDEL', run, unpack(ids))
release(ids, 'removed')
forget(ids)
if ARGV[3] ~= '' then
  for _, id in ipairs(ids) do moved[#moved + 1] = { ARGV[3], id } end
  publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), #ids, 'moved', cmsgpack.pack(moved))
end
return told({ ids, letters })
