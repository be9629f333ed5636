-- append-log: adds one row to the log of a job, a stream of MessagePack strings bounded by rows and by 1 MiB.
-- KEYS  job · logs
-- ARGV  id · row (packed; '' adds none) · keep (rows to keep, -1 for all)
-- REPLY how many rows the log has, or -1 when there is no such job
-- COST  O(size of the log)
local job, logs = KEYS[1], KEYS[2]

if redis.call('HEXISTS', job, ARGV[1]) == 0 then return -1 end
local stored = redis.call('HGET', logs, ARGV[1])
local count, value, keep = 0, '', tonumber(ARGV[3])
if stored then count, value = struct.unpack('>I4', stored), stored:sub(5) end
if ARGV[2] ~= '' then count, value = count + 1, value .. ARGV[2] end
while count > 0 and ((keep >= 0 and count > keep) or #value > 1048576) do
  local offset = cmsgpack.unpack_one(value, 0)
  value = offset > 0 and value:sub(offset + 1) or ''
  count = count - 1
end
if count == 0 then redis.call('HDEL', logs, ARGV[1]) else redis.call('HSET', logs, ARGV[1], struct.pack('>I4', count) .. value) end
return count
