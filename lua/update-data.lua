-- update-data: replaces the record of a job that exists: only its data differs, the rest of a record never changes.
-- KEYS  job
-- ARGV  id · record
-- REPLY 1 replaced, 0 no such job
-- COST  O(1)
local job = KEYS[1]

if redis.call('HEXISTS', job, ARGV[1]) == 0 then return 0 end
redis.call('HSET', job, ARGV[1], ARGV[2])
return 1
