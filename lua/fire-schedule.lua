-- fire-schedule: creates the runs of a schedule that have come due and moves it on to its next slot. Only the caller
-- that still sees the slot it names does so: one run per slot, however many processes fire.
-- KEYS  meta · job · wait · delayed · active · state · schedules · schedule · scheduleRuns · marker · events
-- ARGV  id · definition (packed) · slot · next slot ('' ends the schedule) · runs (MessagePack [[id, record, priority, facts], …]) · overlap · names
--       overlap  'skip': no run while the one before has not ended
-- REPLY how many runs were created, -1 when someone else has fired or changed the schedule
-- COST  O(runs · log n), at most 1,000
local meta, job, wait, delayed, active, state, schedules, schedule, scheduleRuns, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/next-slot.lua
-- include shared/past-runs.lua
-- include shared/typed.lua

local id = ARGV[1]
if tonumber(redis.call('ZSCORE', schedules, id) or -1) ~= tonumber(ARGV[3]) then return -1 end
if redis.call('HGET', schedule, id) ~= ARGV[2] then return -1 end

local past = pastRuns(id)
local function unfinished(run)
  return redis.call('ZSCORE', wait, run) or redis.call('ZSCORE', active, run) or redis.call('ZSCORE', delayed, run)
end
local skipped = ARGV[6] == 'skip' and past.last and unfinished(past.last)

typed({ meta, job, state }, { wait, marker }, events)
local created = {}
for _, run in ipairs(skipped and {} or cmsgpack.unpack(ARGV[5])) do
  if redis.call('HSETNX', job, run[1], run[2]) == 1 then
    if run[4] ~= '' then redis.call('HSET', state, run[1], run[4]) end
    redis.call('ZADD', wait, tail(run[3]), run[1])
    created[#created + 1] = run[1]
  end
  past.last = run[1]
  if ARGV[6] == 'skip' then break end -- the next one would overlap with this one
end
past.count = past.count + #created
redis.call('HSET', scheduleRuns, id, cmsgpack.pack(past))
if ARGV[4] == '' then
  redis.call('ZREM', schedules, id)
  redis.call('HDEL', schedule, id)
  redis.call('HDEL', scheduleRuns, id)
else
  redis.call('ZADD', schedules, ARGV[4], id)
end
nextSlot()
if #created > 0 then
  local settings = redis.call('HMGET', meta, 'paused', 'maxEvents')
  if not settings[1] then wake() end
  publish(tonumber(settings[2] or 10000), #created, 'added', table.concat(created, '\n'), 'names', ARGV[7], 'moved', '')
end
return #created
