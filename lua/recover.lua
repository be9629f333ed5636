-- recover: takes jobs whose lease has run out away from their worker. A job that is known to have started counts
-- one stall, and past the limit is dead; one that was only handed out goes back uncounted. Either is marked, so that the
-- next worker confirms its start first: a job that kills its process at once is counted all the same.
-- Leases that were given while the clock was far ahead, before it was set back, are brought back with it.
-- KEYS  meta · job · wait · delayed · active · failed · run · state · outcome · history · progress · logs · expire · dedup · outbox · pending · orphans · marker · events
-- ARGV  maxStalledCount · limit · keepFailed · leaseMs (of the caller; a time more than ten of these ahead is none; 0 not to look)
-- REPLY [id, stall count, worker, 1 when dead, 1 when known to have started] per job · when the next lease runs out in ms, 0 for never · letters [id, letter, …]
-- COST  O(limit · log n), at most 500
local meta, job, wait, delayed, active, failed, run, state, outcome, history, progress, logs, expire, dedup, outbox, pending, orphans, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19]
-- A queue at rest is asked by each of its workers, time and again.
if redis.call('EXISTS', active) == 0 then return { {}, 0, {} } end
-- include shared/now.lua
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/facts.lua
-- include shared/history.lua
-- include shared/forget.lua
-- include shared/trim.lua
-- include shared/typed.lua
local moved = {}
-- include shared/release.lua

-- Such a lease names a time to come, and would outlast its worker by as much as the clock went back: it gets what it had
-- in all, at most `most`. A renewal since then ends before that time and is left alone. The latest few tell.
local function bringBack(from, most)
  local latest, ids, back = redis.call('ZRANGE', active, from, -1, 'WITHSCORES'), {}, {}
  for i = 1, #latest, 2 do ids[#ids + 1] = latest[i] end
  for i, lease in ipairs(redis.call('HMGET', run, unpack(ids))) do
    local takenAt, deadline = lease and tonumber(lease:match('|(%d+)$')), tonumber(latest[2 * i])
    if takenAt and takenAt > now + most and deadline > takenAt then
      local k = #back
      back[k + 1], back[k + 2] = now + math.min(math.floor(deadline) - takenAt, most) + deadline % 1, ids[i]
    end
  end
  if #back > 0 then redis.call('ZADD', active, unpack(back)) end
  return #back > 0
end
typed({ meta, job, run, state, outcome, history, progress, logs, dedup, outbox, pending }, { wait, delayed, active, failed, expire, marker }, events, orphans)
local longest = 10 * tonumber(ARGV[4])
if longest > 0 and bringBack(-20, longest) then bringBack(-1000, longest) end

local expired = redis.call('ZRANGEBYSCORE', active, '-inf', now, 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))
local maxStalled, settings = tonumber(ARGV[1]), redis.call('HMGET', meta, 'paused', 'maxEvents')
local ids, lost, buried, outcomes = {}, {}, {}, {}
for i = 1, #expired, 2 do ids[#ids + 1] = expired[i] end
local leases = #ids > 0 and redis.call('HMGET', run, unpack(ids)) or {}
local states = #ids > 0 and redis.call('HMGET', state, unpack(ids)) or {}
-- Backwards, so that jobs that go back to the front keep their order.
for i = #ids, 1, -1 do
  local id, started, known = ids[i], tonumber(expired[2 * i]) % 1 ~= 0, readFacts(states[i])
  local token, startedAt = (leases[i] or ''):match('^(.*)|(%d+)$')
  local worker = token and (token:match('^(.*)~[^~]*$') or token) or ''
  if started then
    known.sc, known.as = (known.sc or 0) + 1, (known.as or 0) + 1
  end
  local dead = started and known.sc > maxStalled
  known.su = not dead and 1 or nil
  remember(id, known)
  if started then
    chronicle(id, cmsgpack.pack({ worker = worker, message = 'job stalled: its worker stopped renewing the lease' }))
  end
  if dead then
    local reason = cmsgpack.pack({ 'job stalled more than allowable limit', tonumber(startedAt or 0), worker })
    buried[#buried + 1], outcomes[#outcomes + 1] = id, reason
    moved[#moved + 1] = { 'stalled', id }
    moved[#moved + 1] = { 'failed', id, reason }
  else
    redis.call('ZADD', wait, head(known.pr or 0), id)
    moved[#moved + 1] = { 'waiting', id, 'active' }
    if started then moved[#moved + 1] = { 'stalled', id } end
  end
  lost[#lost + 1] = { id, known.sc or 0, worker, dead and 1 or 0, started and 1 or 0 }
end
if #ids > 0 then
  redis.call('ZREM', active, unpack(ids))
  redis.call('HDEL', run, unpack(ids))
end
if #buried > 0 then
  local deaths, endings = {}, {}
  for i, id in ipairs(buried) do
    deaths[2 * i - 1], deaths[2 * i] = now, id
    endings[2 * i - 1], endings[2 * i] = id, outcomes[i]
  end
  redis.call('ZADD', failed, unpack(deaths))
  redis.call('HSET', outcome, unpack(endings))
end
release(buried, 'failed', outcomes)
if #buried > 0 then trim(failed, tonumber(ARGV[3])) end
if #lost > 0 then
  if not settings[1] and #lost > #buried then wake() end
  publish(tonumber(settings[2] or 10000), #moved, 'moved', cmsgpack.pack(moved))
end
local first = redis.call('ZRANGE', active, 0, 0, 'WITHSCORES')
return { lost, first[2] and math.ceil(tonumber(first[2])) or 0, letters }
