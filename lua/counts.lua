-- counts: how many jobs are in each state, at one instant.
-- KEYS  meta · wait · delayed · active · parents · completed · failed
-- REPLY waiting · prioritized · delayed · active · waiting-children · completed · failed · 1 when paused
-- ARGV  none
-- COST  O(log n)
local meta, wait, delayed, active, parents, completed, failed =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]

local waiting = redis.call('ZCOUNT', wait, '-inf', '(0')
return {
  waiting, redis.call('ZCARD', wait) - waiting, redis.call('ZCARD', delayed), redis.call('ZCARD', active),
  redis.call('ZCARD', parents), redis.call('ZCARD', completed), redis.call('ZCARD', failed),
  redis.call('HEXISTS', meta, 'paused'),
}
