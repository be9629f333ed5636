-- pause: stops or resumes handing out the jobs of the whole queue.
-- KEYS  meta · marker · events
-- ARGV  '1' to pause, '0' to resume
-- REPLY 1 when that changed something
-- COST  O(1)
local meta, marker, events = KEYS[1], KEYS[2], KEYS[3]
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/typed.lua

typed({ meta }, { marker }, events)
local changed
if ARGV[1] == '1' then
  changed = redis.call('HSET', meta, 'paused', 1)
else
  changed = redis.call('HDEL', meta, 'paused')
  wake()
end
if changed == 1 then
  publish(tonumber(redis.call('HGET', meta, 'maxEvents') or 10000), 1,
    'moved', cmsgpack.pack({ { ARGV[1] == '1' and 'paused' or 'resumed' } }))
end
return changed
