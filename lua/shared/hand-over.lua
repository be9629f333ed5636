-- handOver: gives new jobs to the worker beside the caller under one lease, as a take would right behind this call.
local deadline = string.format('%.0f', now + leaseMs)
-- include shared/clock.lua
local lease = ARGV[9] .. '~' .. session .. ':' .. seq .. '|' .. clock
local deadlines, leases = {}, {}
for i = 1, #plain, 2 do
  deadlines[i], deadlines[i + 1], leases[i], leases[i + 1] = deadline, plain[i], plain[i], lease
end
redis.call('ZADD', active, unpack(deadlines))
redis.call('HSET', run, unpack(leases))
reply[2] = lease
