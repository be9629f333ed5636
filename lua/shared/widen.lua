-- widen: Redis keeps a small set or hash in one block of memory, in which every lookup is a scan of up to 128 entries: dear
-- where many jobs are active. A value too long for such a block makes it a real one, for as long as the key lasts.
local before = redis.call('ZCARD', active)
if before <= 16 and before + count > 16 then
  wide = ('-'):rep(65)
  redis.call('ZADD', active, '0', wide)
  redis.call('HSET', run, '', wide)
end
