-- release: what a job's end frees. Its deduplication id, unless a ttl still guards it (then a later job that was
-- kept back takes its place), and its parent, which is told through the outbox of this queue.
-- include shared/facts.lua
-- include shared/letters.lua
local function isKept(last)
  return type(last) == 'table' and type(last[1]) == 'string' and type(last[2]) == 'string' and type(last[3]) == 'string'
    and type(last[4]) == 'number' and type(last[5]) == 'number'
end

local function releaseId(dedupId, id)
  local packed = redis.call('HGET', dedup, dedupId)
  if not packed then return end
  local readable, entry = pcall(cmsgpack.unpack, packed)
  if not readable or type(entry) ~= 'table' then return redis.call('HDEL', dedup, dedupId) end
  if entry.id ~= id then return end
  local kept = isKept(entry.last) and entry.last
  if kept and redis.call('HSETNX', job, kept[1], kept[2]) == 1 then
    local keptId, _, packedFacts, priority, delayMs, lifo = unpack(kept)
    if packedFacts ~= '' then redis.call('HSET', state, keptId, packedFacts) end
    if delayMs > 0 then
      redis.call('ZADD', delayed, now + delayMs, keptId)
      moved[#moved + 1] = { 'delayed', keptId, now + delayMs }
    else
      redis.call('ZADD', wait, lifo == 1 and head(priority) or tail(priority), keptId)
      moved[#moved + 1] = { 'waiting', keptId }
    end
    redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = keptId, till = entry.till }))
    wake()
  elseif kept or entry.till == 0 then
    redis.call('HDEL', dedup, dedupId)
  end
end

-- A finished job has told its parent how it ended, and if that made the parent wait on, its removal lets it go.
local function isToldOf(id, known)
  return redis.call('HEXISTS', outcome, id) == 1 and (known.po or redis.call('HEXISTS', outbox, id) == 1)
end

-- `ending` is completed, failed, removed, or dropped: failed and not kept, so that nobody can retry it.
-- `outcomes[i]` is the packed outcome of ids[i], if any.
local function release(ids, ending, outcomes)
  if #ids == 0 or redis.call('EXISTS', state) == 0 then return end
  local read = {} -- siblings have the same facts
  for from = 1, #ids, 4000 do
    local packed = redis.call('HMGET', state, unpack(ids, from, math.min(from + 3999, #ids)))
    for i, value in ipairs(packed) do
      if value then
        local known, id = read[value] or readFacts(value), ids[from + i - 1]
        read[value] = known
        if known.de then releaseId(known.de, id) end
        if type(known.pk) == 'table' and not (ending == 'removed' and isToldOf(id, known)) then
          local told = ending == 'dropped' and (known.po and 'failed' or 'removed') or ending
          write(id, known, told, outcomes and outcomes[from + i - 1] or '')
        end
      end
    end
  end
  post()
end
