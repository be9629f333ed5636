-- deduplicate: decides whether a job with a deduplication id is added, or an earlier one stands in its place.
-- `dedup` holds, per id, { id = job, till = time in ms or 0 for "until the job ends", last = a job kept back }.
-- A job whose own id is taken is a duplicate of that job and changes nothing here.
-- A job with a parent or children is never replaced: someone counts on it.
local function isAlone(id)
  return not facts(id).pk and redis.call('HEXISTS', pending, id) == 0
end

local function deduplicated(rule, id, item)
  if rule == '' or redis.call('HEXISTS', job, id) == 1 then return false end
  local dedupId, ttlMs, extend, replace, keepLast, reschedule = unpack(rule)
  local till = ttlMs > 0 and keepLast ~= 1 and now + ttlMs or 0
  local packed = redis.call('HGET', dedup, dedupId)
  local readable, entry = pcall(cmsgpack.unpack, packed or '')
  -- One that something else wrote holds nothing back.
  if not readable or type(entry) ~= 'table' or type(entry.id) ~= 'string' or type(entry.till) ~= 'number' then entry = nil end
  if entry and entry.till ~= 0 and entry.till <= now then entry = nil end
  if entry and entry.till == 0 and redis.call('HEXISTS', job, entry.id) == 0 then entry = nil end

  if entry and replace == 1 and isAlone(entry.id) and redis.call('ZREM', delayed, entry.id) == 1 then
    for _, column in ipairs({ job, state, history, progress, logs }) do redis.call('HDEL', column, entry.id) end
    notes[#notes + 1] = { 'removed', entry.id, 'delayed' }
    notes[#notes + 1] = { 'deduplicated', id, entry.id, dedupId }
    if extend ~= 1 and keepLast ~= 1 and entry.till ~= 0 then till = entry.till end
    entry = nil
  end
  if not entry then
    redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = id, till = till }))
    return false
  end
  if reschedule == 1 and redis.call('ZSCORE', delayed, entry.id) then
    local known = facts(entry.id)
    known.mv = now
    remember(entry.id, known)
    redis.call('ZADD', delayed, now + item[3], entry.id)
    if redis.call('ZRANK', delayed, entry.id) == 0 then wake() end
    notes[#notes + 1] = { 'delayed', entry.id, now + item[3], 'delayed' }
  end
  if keepLast == 1 and redis.call('ZSCORE', active, entry.id) then
    entry.last, entry.till = { id, item[2], item[6], item[4], item[3], item[5] }, 0
  elseif extend == 1 and ttlMs > 0 then
    -- A ttl may guard a job that has ended: "until it ends" would never come.
    entry.till = entry.till == 0 and till or now + ttlMs
  else
    return entry.id
  end
  redis.call('HSET', dedup, dedupId, cmsgpack.pack(entry))
  return entry.id
end
