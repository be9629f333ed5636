-- append-log: adds one row to the log of a job, a stream of MessagePack strings bounded by rows and by 1 MiB.
-- KEYS  job · logs · sessions
-- ARGV  id · row (packed; '' adds none) · keep (rows to keep, -1 for all) · session · seq
-- REPLY how many rows the log has, or -1 when there is no such job
-- COST  O(size of the log)
local job, logs, sessions = KEYS[1], KEYS[2], KEYS[3]
-- include shared/now.lua
-- include shared/once.lua
if earlier then return earlier end

if redis.call('HEXISTS', job, ARGV[1]) == 0 then return -1 end
local stored = redis.call('HGET', logs, ARGV[1])
local count, value, keep = 0, '', tonumber(ARGV[3])
if stored and #stored >= 4 then count, value = struct.unpack('>I4', stored), stored:sub(5) end
if ARGV[2] ~= '' then count, value = count + 1, value .. ARGV[2] end
local from = 0
while count > 0 and ((keep >= 0 and count > keep) or #value - from > 1048576) do
  local readable, offset = pcall(cmsgpack.unpack_one, value, from)
  if not readable or offset < 0 then from, count = #value, 0 break end
  from, count = offset == 0 and #value or offset, count - 1
end
if from > 0 then value = value:sub(from + 1) end
if count == 0 then redis.call('HDEL', logs, ARGV[1]) else redis.call('HSET', logs, ARGV[1], struct.pack('>I4', count) .. value) end
return told(count)
