-- keep-watch: gives a few idle workers the duty to look often, so that the others need not.
-- KEYS  watch
-- ARGV  worker · process · forMs · seats
-- REPLY 1 when the worker is on watch for the next forMs, 0 when enough others are
-- COST  O(seats · log seats)
local watch = KEYS[1]
-- include shared/now.lua

local worker, process, seats = ARGV[1], ARGV[2], tonumber(ARGV[4])
local member = process .. '/' .. worker
local others = 0
for i, holder in ipairs(redis.call('ZRANGE', watch, 0, -1)) do
  if tonumber(redis.call('ZSCORE', watch, holder)) <= now then redis.call('ZREM', watch, holder)
  elseif holder ~= member then
    others = others + 1
    -- A process dies as a whole, so its workers share one seat.
    if holder:sub(1, #process + 1) == process .. '/' then return 0 end
  end
end
if others >= seats then return 0 end
redis.call('ZADD', watch, now + tonumber(ARGV[3]), member)
return 1
