-- takeJobs: hands out up to `wanted` waiting jobs under one lease, as far as pause and limits allow.
-- Returns { count, ids (one a line), records (concatenated), states, priorities, waitMs, missing ids, record sizes }.
-- states and priorities are '' unless some job has any. waitMs is how long a limit keeps jobs back, or -1 when paused.

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
  if wanted <= 0 then return none end

  local popped = redis.call('ZPOPMIN', wait, wanted)
  if #popped == 0 then return none end
  local ids, prioritized = {}, false
  for i = 1, #popped, 2 do
    ids[#ids + 1] = popped[i]
    if popped[i + 1]:byte() ~= 45 then prioritized = true end -- only priority 0 has scores that start with "-"
  end
  local records = redis.call('HMGET', job, unpack(ids))
  local missing = {}
  for i = #ids, 1, -1 do
    if not records[i] then
      missing[#missing + 1] = table.remove(ids, i)
      table.remove(records, i)
      table.remove(popped, 2 * i)
      table.remove(popped, 2 * i - 1)
    end
  end
  if #ids == 0 then none[7] = table.concat(missing, '\n') return none end

  local deadlines, leases, sizes, priorities = {}, {}, {}, ''
  local deadline = now + leaseMs
  for i, id in ipairs(ids) do
    local k = 2 * i
    deadlines[k - 1], deadlines[k] = deadline, id
    leases[k - 1], leases[k] = id, lease
    sizes[i] = #records[i]
  end
  redis.call('ZADD', active, unpack(deadlines))
  redis.call('HSET', run, unpack(leases))
  if max > 0 then
    redis.call('RPUSH', rate, now .. ' ' .. #ids)
    redis.call('HINCRBY', meta, 'rateCount', #ids)
  end
  if prioritized then
    local each = {}
    for i = 2, #popped, 2 do each[#each + 1] = math.max(0, math.floor(tonumber(popped[i]) / BAND)) end
    priorities = table.concat(each, '\n')
  end
  local states = redis.call('EXISTS', state) == 1 and redis.call('HMGET', state, unpack(ids)) or ''
  return { #ids, table.concat(ids, '\n'), table.concat(records), states, priorities, 0, table.concat(missing, '\n'), table.concat(sizes, ' ') }
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
  local raw = redis.call('HMGET', meta, 'paused', 'limitedTill', 'concurrency', 'max', 'duration', 'maxEvents', 'nextSlot')
  return {
    paused = raw[1], limitedTill = tonumber(raw[2] or 0), concurrency = tonumber(raw[3]),
    max = tonumber(raw[4]), duration = tonumber(raw[5]), maxEvents = tonumber(raw[6] or 10000), nextSlot = tonumber(raw[7] or 0),
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
