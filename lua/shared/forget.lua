-- forget: removes every column of finished or removed jobs, and frees what their ids held. The books of a parent are
-- noted as orphaned: they have a key of their own, which is removed later by whoever comes by.
-- include shared/each-chunk.lua
local function forgetBooks(ids)
  for from = 1, #ids, 4000 do
    local slice = { unpack(ids, from, math.min(from + 3999, #ids)) }
    for i, tally in ipairs(redis.call('HMGET', pending, unpack(slice))) do
      if tally then
        redis.call('HDEL', pending, slice[i])
        redis.call('SADD', orphans, slice[i])
      end
    end
  end
end

local function forget(ids)
  if #ids == 0 then return end
  eachChunk('HDEL', job, ids)
  if redis.call('EXISTS', state, outcome, history, progress, logs, expire, pending) == 0 then return end
  if redis.call('EXISTS', pending) == 1 then forgetBooks(ids) end
  for _, column in ipairs({ state, outcome, history, progress, logs }) do
    if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
  end
  if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
