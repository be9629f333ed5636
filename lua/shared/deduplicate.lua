-- deduplicate: decides whether a job with a deduplication id is added, or an earlier one stands in its place.
-- `dedup` holds, per id, { id = job, till = time in ms or 0 for "until the job ends", last = a job kept back }.
local function deduplicated(rule, id, item)
  if rule == '' then return false end
  local dedupId, ttlMs, extend, replace, keepLast, reschedule = unpack(rule)
  local till = ttlMs > 0 and now + ttlMs or 0
  local packed = redis.call('HGET', dedup, dedupId)
  local entry = packed and cmsgpack.unpack(packed)
  if entry and entry.till ~= 0 and entry.till <= now then entry = nil end
  if entry and entry.till == 0 and redis.call('HEXISTS', job, entry.id) == 0 then entry = nil end

  if entry and replace == 1 and redis.call('ZREM', delayed, entry.id) == 1 then
    redis.call('HDEL', job, entry.id)
    redis.call('HDEL', state, entry.id)
    notes[#notes + 1] = { 'removed', entry.id, 'delayed' }
    if extend ~= 1 and entry.till ~= 0 then till = entry.till end
    entry = nil
  end
  if not entry then
    if redis.call('HEXISTS', job, id) == 0 then redis.call('HSET', dedup, dedupId, cmsgpack.pack({ id = id, till = till })) end
    return false
  end
  if reschedule == 1 and redis.call('ZSCORE', delayed, entry.id) then
    redis.call('ZADD', delayed, now + item[3], entry.id)
    notes[#notes + 1] = { 'delayed', entry.id, now + item[3] }
  end
  if keepLast == 1 and redis.call('ZSCORE', active, entry.id) then
    entry.last = { item[1], item[2], item[6], item[4] }
  elseif not (extend == 1 and ttlMs > 0) then
    return entry.id
  end
  if extend == 1 and ttlMs > 0 then entry.till = till end
  redis.call('HSET', dedup, dedupId, cmsgpack.pack(entry))
  return entry.id
end
