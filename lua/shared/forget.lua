-- forget: removes every column of finished or removed jobs, and frees what their ids held.
-- include shared/each-chunk.lua
local function forget(ids)
  if #ids == 0 then return end
  eachChunk('HDEL', job, ids)
  if redis.call('EXISTS', state, outcome, history, progress, logs, expire) == 0 then return end
  for _, column in ipairs({ state, outcome, history, progress, logs }) do
    if redis.call('EXISTS', column) == 1 then eachChunk('HDEL', column, ids) end
  end
  if redis.call('EXISTS', expire) == 1 then eachChunk('ZREM', expire, ids) end
end
