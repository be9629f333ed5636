-- reschedule: gives a delayed job another due time.
-- KEYS  meta · job · delayed · state · marker · events
-- ARGV  id · delayMs from now
-- REPLY the new due time in ms, 0 when the job is not delayed, -1 when there is no such job
-- COST  O(log n)
local meta, job, delayed, state, marker, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
-- include shared/now.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/facts.lua
-- include shared/typed.lua

if not redis.call('ZSCORE', delayed, ARGV[1]) then return redis.call('HEXISTS', job, ARGV[1]) - 1 end
typed({ meta, state }, { marker }, events)
local due, known = now + tonumber(ARGV[2]), facts(ARGV[1])
known.mv = now
remember(ARGV[1], known)
redis.call('ZADD', delayed, due, ARGV[1])
if redis.call('ZRANK', delayed, ARGV[1]) == 0 then wake() end
publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), 1, 'moved', cmsgpack.pack({ { 'delayed', ARGV[1], due } }))
return due
