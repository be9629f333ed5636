-- allowance: a sliding window, exact at every instant: `rate` lists "<time> <starts>" of the window, `rateCount` their sum.
-- At most 1,000 old entries are dropped a call; while more are left nothing may start.
local durationMs, left = tonumber(raw[4] and raw[5]) or tonumber(ARGV[8]), nil
local entry = redis.call('LINDEX', rate, 0)
local starts = tonumber(redis.call('HGET', meta, 'rateCount')) or 0
for _ = 1, 1000 do
  if not entry then break end
  local at, begun = entry:match('^(%d+) (%d+)$')
  -- One from a time to come was entered before the clock was set back: it may not keep jobs back until then.
  if at and math.abs(now - tonumber(at)) < durationMs then
    left = math.max(0, max - starts)
    if left == 0 then waitMs = tonumber(at) + durationMs - now end
    break
  end
  redis.call('LPOP', rate)
  if at then starts = starts - tonumber(begun) end
  redis.call('HSET', meta, 'rateCount', starts)
  entry = redis.call('LINDEX', rate, 0)
end
if not left then
  if not entry then redis.call('HDEL', meta, 'rateCount') end
  left = entry and 0 or max
  if left == 0 then waitMs = 1 end
end
