-- renew: pushes back the deadline of leases that the caller still holds, and notes that their jobs have started.
-- The half millisecond in the deadline is that note: only a job known to have started can count as stalled.
-- KEYS  active · run
-- ARGV  leaseMs · leases (MessagePack [id, lease, …])
-- REPLY the numbers (from 0) of the leases that are no longer held
-- COST  O(leases · log n), at most 1,000
local active, run = KEYS[1], KEYS[2]
-- include shared/now.lua

local leases = cmsgpack.unpack(ARGV[2])
local ids, scores, lost = {}, {}, {}
for i = 1, #leases, 2 do ids[#ids + 1] = leases[i] end
local held = redis.call('HMGET', run, unpack(ids))
local deadline = now + tonumber(ARGV[1]) + 0.5
for i, id in ipairs(ids) do
  if held[i] == leases[2 * i] then
    local k = #scores
    scores[k + 1], scores[k + 2] = deadline, id
  else
    lost[#lost + 1] = i - 1
  end
end
if #scores > 0 then
  -- When Redis is out of memory it lets a script go on that has written already; no lease is to be lost for that.
  redis.call('ZREM', active, '')
  redis.call('ZADD', active, 'XX', unpack(scores))
end
return lost
