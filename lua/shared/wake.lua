-- wake: lets one idle worker know that there is something to do. A hint: the sets are the truth.
local function wake()
  redis.call('ZADD', marker, 0, '0')
end
