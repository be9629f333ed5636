-- nextSlot: keeps the soonest slot of all schedules in `meta`, where every take sees it for free.
local function nextSlot()
  local first = redis.call('ZRANGE', schedules, 0, 0, 'WITHSCORES')
  if first[2] then redis.call('HSET', meta, 'nextSlot', first[2]) else redis.call('HDEL', meta, 'nextSlot') end
end
