-- upsert-schedule: stores a schedule and its next slot. The same definition again keeps the slot it has, so that any
-- number of processes may upsert at start.
-- KEYS  meta · schedules · schedule · scheduleRuns · marker
-- ARGV  id · definition (packed) · next slot in ms · trace that the runs go on, '' for that of before
-- REPLY the next slot · 1 when the definition is new or differs · how many runs there were
-- COST  O(log n)
local meta, schedules, schedule, scheduleRuns, marker = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
-- include shared/wake.lua
-- include shared/next-slot.lua
-- include shared/past-runs.lua
-- include shared/typed.lua

local id, trace = ARGV[1], ARGV[4]
local slot = redis.call('ZSCORE', schedules, id)
local isSame = slot and redis.call('HGET', schedule, id) == ARGV[2]
local past = pastRuns(id)
typed({ meta, schedule, scheduleRuns }, { schedules, marker })
if trace ~= (past.trace or '') and not (isSame and trace == '') then
  past.trace = trace ~= '' and trace or nil
  redis.call('HSET', scheduleRuns, id, cmsgpack.pack(past))
end
if isSame then return { tonumber(slot), 0, past.count } end
redis.call('HSET', schedule, id, ARGV[2])
redis.call('ZADD', schedules, ARGV[3], id)
nextSlot()
wake()
return { tonumber(ARGV[3]), 1, past.count }
