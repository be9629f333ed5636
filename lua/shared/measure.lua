-- measure: counts finished jobs by the minute: fields c<minute> (completed) and f<minute> (failed) of `metrics`. Once a
-- minute, what is older than `most` minutes is added to the fields c and f, at most 500 minutes of it.
local function measure(letter, count, most)
  if count == 0 then return end
  local minute = math.floor(now / 60000)
  local counted = redis.pcall('HINCRBY', metrics, letter .. minute, count)
  -- A count that something else wrote starts anew: the jobs matter more.
  if type(counted) ~= 'number' then return redis.call('HDEL', metrics, letter .. minute) end
  if counted > count then return end
  local since = tonumber(redis.call('HGET', metrics, 'since') or minute) or minute
  local last = math.min(minute - most - 1, since + 499)
  if last >= since then
    local fields, sums = {}, { c = 0, f = 0 }
    for each = since, last do fields[#fields + 1], fields[#fields + 2] = 'c' .. each, 'f' .. each end
    for i, value in ipairs(redis.call('HMGET', metrics, unpack(fields))) do
      local kind = i % 2 == 1 and 'c' or 'f'
      sums[kind] = sums[kind] + (tonumber(value) or 0)
    end
    redis.call('HDEL', metrics, unpack(fields))
    for kind, sum in pairs(sums) do redis.pcall('HINCRBY', metrics, kind, sum) end
    since = last + 1
  end
  redis.call('HSET', metrics, 'since', since, 'max', most)
end
