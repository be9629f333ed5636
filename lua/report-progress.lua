-- report-progress: stores the progress of a job that exists and announces it.
-- KEYS  meta · job · progress · events
-- ARGV  id · progress (packed)
-- REPLY 1 stored, 0 no such job
-- COST  O(1)
local meta, job, progress, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- include shared/publish.lua
-- include shared/typed.lua

if redis.call('HEXISTS', job, ARGV[1]) == 0 then return 0 end
local limit = tonumber(redis.call('HGET', meta, 'maxEvents') or 10000)
typed({}, {}, events)
redis.call('HSET', progress, ARGV[1], ARGV[2])
publish(limit, 1, 'moved', cmsgpack.pack({ { 'progress', ARGV[1], ARGV[2] } }))
return 1
