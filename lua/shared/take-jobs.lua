-- takeJobs: hands out up to `wanted` waiting jobs under one lease, as far as pause and limits allow.
-- Returns { count, ids (one a line), records (concatenated), states, priorities, waitMs, missing ids, record sizes }.
-- states and priorities are '' unless some job has any. waitMs is how long a limit keeps jobs back, or -1 when
-- the queue is paused or at its concurrency.

-- A sliding window, exact at every instant: `rate` lists "<time> <starts>" of the window, `rateCount` their sum.
local function allowance(max, durationMs)
  local entry = redis.call('LINDEX', rate, 0)
  local count = tonumber(redis.call('HGET', meta, 'rateCount') or 0)
  local steps = 0
  while entry and steps < 1000 do
    steps = steps + 1
    local at, starts = entry:match('^(%d+) (%d+)$')
    if tonumber(at) + durationMs > now then
      return math.max(0, max - count), tonumber(at) + durationMs - now
    end
    redis.call('LPOP', rate)
    count = redis.call('HINCRBY', meta, 'rateCount', -tonumber(starts))
    entry = redis.call('LINDEX', rate, 0)
  end
  if not entry then redis.call('HDEL', meta, 'rateCount') end
  return entry and 0 or max, 1
end

-- A value too long for Redis's compact encoding of small hashes, in which every lookup of a lease would be a scan.
local WIDE = ('-'):rep(65)

-- The priorities of the first jobs of `wait`, or nil when all of them are 0: the last of them tells.
local function prioritiesOf(ids)
  if tonumber(redis.call('ZSCORE', wait, ids[#ids])) < 0 then return nil end
  local priorities = {}
  for i, score in ipairs(redis.call('ZMSCORE', wait, unpack(ids))) do
    priorities[i] = math.max(0, math.floor(tonumber(score) / BAND))
  end
  return priorities
end

local function takeJobs(wanted, lease, leaseMs, max, durationMs, settings, prefetch)
  local none = { 0, '', '', '', '', 0, '', '' }
  if settings.paused then none[6] = -1 return none end
  if settings.limitedTill > now then none[6] = settings.limitedTill - now return none end
  if settings.max then max, durationMs = settings.max, settings.duration end
  if settings.concurrency or max > 0 then wanted = wanted - prefetch end
  if settings.concurrency then
    wanted = math.min(wanted, settings.concurrency - redis.call('ZCARD', active))
  end
  if max > 0 and wanted > 0 then
    local left, waitMs = allowance(max, durationMs)
    if left == 0 then none[6] = math.max(1, waitMs) end
    wanted = math.min(wanted, left)
  end
  if wanted <= 0 then
    if none[6] == 0 then none[6] = -1 end
    return none
  end

  -- Not ZPOPMIN: it would format a score for every job, which only priorities need.
  local ids = redis.call('ZRANGE', wait, 0, wanted - 1)
  if #ids == 0 then return none end
  local priorities = prioritiesOf(ids)
  local records = redis.call('HMGET', job, unpack(ids))
  redis.call('ZREMRANGEBYRANK', wait, 0, #ids - 1)
  local missing = {}
  for i = #ids, 1, -1 do
    if not records[i] then
      missing[#missing + 1] = table.remove(ids, i)
      table.remove(records, i)
      if priorities then table.remove(priorities, i) end
    end
  end
  if #ids == 0 then none[7] = table.concat(missing, '\n') return none end

  local deadlines, leases, sizes = {}, {}, {}
  local deadline = string.format('%.0f', now + leaseMs) -- as text: a number would be formatted anew for every job
  for i, id in ipairs(ids) do
    local k = 2 * i
    deadlines[k - 1], deadlines[k] = deadline, id
    leases[k - 1], leases[k] = id, lease
    sizes[i] = #records[i]
  end
  redis.call('ZADD', active, unpack(deadlines))
  leases[#leases + 1], leases[#leases + 2] = '', WIDE
  redis.call('HSET', run, unpack(leases))
  if max > 0 then
    redis.call('RPUSH', rate, now .. ' ' .. #ids)
    redis.call('HINCRBY', meta, 'rateCount', #ids)
  end
  local states = redis.call('EXISTS', state) == 1 and redis.call('HMGET', state, unpack(ids)) or ''
  return { #ids, table.concat(ids, '\n'), table.concat(records), states, priorities and table.concat(priorities, '\n') or '', 0, table.concat(missing, '\n'), table.concat(sizes, ' ') }
end

-- The last call of a worker's session again: the jobs it was given that it still holds, and nothing else.
local function retake(lease, joined)
  local ids, records, states, sizes = {}, {}, {}, {}
  for id in joined:gmatch('[^\n]+') do
    local record = redis.call('HGET', run, id) == lease and redis.call('HGET', job, id)
    if record then
      ids[#ids + 1], records[#records + 1], states[#states + 1] = id, record, redis.call('HGET', state, id)
      sizes[#sizes + 1] = #record
    end
  end
  return { #ids, table.concat(ids, '\n'), table.concat(records), states, '', 0, '', table.concat(sizes, ' ') }
end

local function takeSettings()
  local raw = redis.call('HMGET', meta, 'paused', 'limitedTill', 'concurrency', 'max', 'duration', 'maxEvents', 'nextSlot', 'flows')
  return {
    paused = raw[1], limitedTill = tonumber(raw[2] or 0), concurrency = tonumber(raw[3]),
    max = tonumber(raw[4]), duration = tonumber(raw[5]), maxEvents = tonumber(raw[6] or 10000), nextSlot = tonumber(raw[7] or 0), flows = raw[8],
  }
end

-- When the next delayed job or schedule is due, and (only when idle) when the next lease runs out; 0 for never.
local function nextDue(idle, nextSlot)
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  local due, expires = first[2] and tonumber(first[2]) or 0, 0
  if nextSlot > 0 and (due == 0 or nextSlot < due) then due = nextSlot end
  if idle then
    local lease = redis.call('ZRANGE', active, 0, 0, 'WITHSCORES')
    expires = lease[2] and math.ceil(tonumber(lease[2])) or 0
  end
  return due, expires
end
