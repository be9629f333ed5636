-- reprioritize: gives a job another priority; a waiting job takes its place in that priority at once.
-- KEYS  job · wait · state
-- ARGV  id · priority · lifo ('1': to the front of its priority)
-- REPLY 1 changed, 0 no such job
-- COST  O(log n)
local job, wait, state = KEYS[1], KEYS[2], KEYS[3]
-- include shared/place.lua
-- include shared/facts.lua

local id, priority = ARGV[1], tonumber(ARGV[2])
if redis.call('HEXISTS', job, id) == 0 then return 0 end
local known, waits = facts(id), redis.call('ZSCORE', wait, id)
known.pr = priority
remember(id, known)
if waits then
  redis.call('ZREM', wait, id)
  redis.call('ZADD', wait, ARGV[3] == '1' and head(priority) or tail(priority), id)
end
return 1
