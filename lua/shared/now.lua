-- now: Redis's clock in whole milliseconds, read once at the top of a script. No script takes the client's time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
