-- remove-schedule: ends a schedule. Runs that are already in the queue stay.
-- KEYS  meta · schedules · schedule · scheduleRuns · sessions
-- ARGV  id · session · seq
-- REPLY 1 removed, 0 no such schedule
-- COST  O(log n)
local meta, schedules, schedule, scheduleRuns, sessions = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
-- include shared/now.lua
-- include shared/once.lua
-- include shared/next-slot.lua
-- include shared/typed.lua

if earlier then return earlier end
typed({ meta, schedule, scheduleRuns }, { schedules })
local removed = redis.call('ZREM', schedules, ARGV[1])
redis.call('HDEL', schedule, ARGV[1])
redis.call('HDEL', scheduleRuns, ARGV[1])
nextSlot()
return told(removed)
