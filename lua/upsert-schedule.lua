-- upsert-schedule: stores a schedule and its next slot. The same definition again keeps the slot it has, so that any
-- number of processes may upsert at start.
-- KEYS  meta · schedules · schedule · marker
-- ARGV  id · definition (packed) · next slot in ms
-- REPLY the next slot · 1 when the definition is new or differs
-- COST  O(log n)
local meta, schedules, schedule, marker = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- include shared/wake.lua
-- include shared/next-slot.lua
-- include shared/typed.lua

local slot = redis.call('ZSCORE', schedules, ARGV[1])
if slot and redis.call('HGET', schedule, ARGV[1]) == ARGV[2] then return { tonumber(slot), 0 } end
typed({ meta, schedule }, { schedules, marker })
redis.call('HSET', schedule, ARGV[1], ARGV[2])
redis.call('ZADD', schedules, ARGV[3], ARGV[1])
nextSlot()
wake()
return { tonumber(ARGV[3]), 1 }
