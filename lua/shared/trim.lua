-- trim: keeps the newest `keep` finished jobs of a set, at most 1,000 removals a call. -1 keeps all.
local function trim(set, keep)
  if keep < 0 then return end
  local excess = redis.call('ZCARD', set) - keep
  if excess <= 0 then return end
  local ids = redis.call('ZRANGE', set, 0, math.min(excess, 1000) - 1)
  redis.call('ZREM', set, unpack(ids))
  forget(ids)
end
