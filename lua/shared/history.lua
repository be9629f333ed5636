-- history: the attempt history of a job, a stream of MessagePack pairs: time, then what the worker reports.
-- Bounded to 64 KiB by dropping the oldest.
local function chronicle(id, entry)
  local value = (redis.call('HGET', history, id) or '') .. cmsgpack.pack(now) .. entry
  while #value > 65536 do
    local readable, offset = pcall(cmsgpack.unpack_limit, value, 2, 0)
    if not readable then value = cmsgpack.pack(now) .. entry end
    if not readable or offset < 0 then break end
    value = value:sub(offset + 1)
  end
  redis.call('HSET', history, id, value)
end
