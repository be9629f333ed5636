-- release: what a job's end frees. Its deduplication id, unless a ttl still guards it (then a later job that was
-- kept back takes its place), and its parent, which is told through the outbox of this queue.
local function releaseId(dedupId, id)
  local packed = redis.call('HGET', dedup, dedupId)
  if not packed then return end
  local entry = cmsgpack.unpack(packed)
  if entry.id ~= id then return end
  local kept = entry.last
  if kept then
    redis.call('HSETNX', job, kept[1], kept[2])
    if kept[3] ~= '' then redis.call('HSET', state, kept[1], kept[3]) end
    redis.call('ZADD', wait, tail(kept[4]), kept[1])
    redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = kept[1], till = entry.till }))
    moved[#moved + 1] = { 'waiting', kept[1] }
    wake()
  elseif entry.till == 0 then
    redis.call('HDEL', dedup, dedupId)
  end
end

-- `ending` is completed, failed or removed; `outcomes[i]` is the packed outcome of ids[i], if any.
local function release(ids, ending, outcomes)
  if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
  for from = 1, #ids, 4000 do
    local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
    for i, value in ipairs(packed) do
      if value then
        local known, id = cmsgpack.unpack(value), ids[from + i - 1]
        if known.de then releaseId(known.de, id) end
        if known.pk then
          redis.call('HSET', outbox, id, cmsgpack.pack({ known.pk, ending, outcomes and outcomes[from + i - 1] or '' }))
        end
      end
    end
  end
end
