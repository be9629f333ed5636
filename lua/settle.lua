-- settle: ends, retries, delays or gives back jobs that the caller holds, and takes the next ones: one call for both.
-- KEYS  meta · job · wait · delayed · active · completed · failed · run · state · outcome · history · progress · logs · expire · sessions · dedup · outbox · pending · orphans · marker · rate · events · metrics
-- ARGV  session · seq · items · token · wanted · leaseMs · max · durationMs · keepCompleted · keepFailed · woken · prefetch · minutes
--       items    MessagePack [id, lease, kind, payload, …] with kind and payload:
--                0 completed, forgotten      outcome
--                1 completed, kept           outcome
--                2 completed, kept for ms    [outcome, ageMs (-1 for ever)]
--                3 failed                    [outcome, attemptsMade, entry, ageMs (0 forgotten, nil by the queue's rule), 1 when its attempts are used up]
--                4 retried                   [delayMs, attemptsMade, entry, lifo]
--                5 given back, not an attempt  ''
--                6 delayed, not an attempt   [dueAt in ms, or -1 for the front of wait]
--       token    what the new leases begin with · wanted how many to take
--       max, durationMs  the worker's rate limit, 0 for none · keep… how many finished jobs to keep, -1 for all
--       woken    1 when the marker woke the caller: it wakes the next worker if more is waiting
--       prefetch how many of `wanted` would not start at once: not handed out where a limit counts active jobs or starts
--       minutes  how many minutes of per-minute counts to keep, 0 to count nothing
-- REPLY refused item numbers (from 0) · now · lease · count · ids · records · states · priorities · waitMs · missing · record sizes · due · expires · letters [id, letter, …] · 1 when the queue has flows · unready item numbers: parents with children to wait for, still held
-- COST  O((items + wanted) · log n), at most 1,000 of each
local meta, job, wait, delayed, active, completed, failed, run, state, outcome, history, progress, logs, expire, sessions, dedup, outbox, pending, orphans, marker, rate, events, metrics =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20],
  KEYS[21], KEYS[22], KEYS[23]
-- include shared/now.lua
-- include shared/place.lua
-- include shared/wake.lua
-- include shared/publish.lua
-- include shared/sessions.lua
-- include shared/facts.lua
-- include shared/history.lua
-- include shared/forget.lua
-- include shared/trim.lua
-- include shared/take-jobs.lua
-- include shared/accept.lua
-- include shared/measure.lua
local moved = {}
-- include shared/release.lua

local session, seq = ARGV[1], ARGV[2]
local earlier = replayed(session, seq)
if earlier then
  if earlier.err then return earlier end
  local again = retake(earlier[2], earlier[3])
  again[9], again[10], again[11], again[12], again[13] = 0, 0, {}, redis.call('HEXISTS', meta, 'flows'), earlier[4]
  return { earlier[1], now, earlier[2], unpack(again) }
end

local items, wanted = cmsgpack.unpack(ARGV[3]), tonumber(ARGV[5])
local settings = takeSettings()
local ids, held = {}, {}
for i = 1, #items, 4 do ids[#ids + 1] = items[i] end
if #ids > 0 then held = redis.call('HMGET', run, unpack(ids)) end

local forgotten, results, kept, done = {}, {}, {}, {}
local freed, refused, unready = accept(ids, items, held, settings.flows)
if #freed > 0 then
  redis.call('ZREM', active, unpack(freed))
  redis.call('HDEL', run, unpack(freed))
end

-- include shared/outcomes.lua
-- Backwards, so that jobs that go back to the front keep their order.
for i = #ids, 1, -1 do
  if held[i] == true then
    local id, kind, payload = ids[i], items[4 * i - 1], items[4 * i]
    if kind == 5 then putBack(id, 0, false)
    elseif kind == 6 then putBack(id, payload[1], true) end
  end
end
for i, id in ipairs(ids) do
  if held[i] == true then
    local kind, payload = items[4 * i - 1], items[4 * i]
    if kind <= 2 then
      local result = kind == 2 and payload[1] or payload
      done[#done + 1], results[#results + 1] = id, result
      if kind == 0 then
        forgotten[#forgotten + 1] = id
      else
        local k = #kept
        kept[k + 1], kept[k + 2] = id, result
        if kind == 2 then redis.call('ZADD', expire, payload[2] < 0 and '+inf' or now + payload[2], id) end
      end
    elseif kind == 3 then fail(id, payload)
    elseif kind == 4 then retry(id, payload) end
  end
end
if #kept > 0 then
  local scores = {}
  for i = 1, #kept, 2 do scores[i], scores[i + 1] = now, kept[i] end
  redis.call('ZADD', completed, unpack(scores))
  redis.call('HSET', outcome, unpack(kept))
end
release(done, 'completed', results)
release(buried, 'failed', buriedOutcomes)
release(dropped, 'dropped', droppedOutcomes)
forget(forgotten)
forget(dropped)
if #kept > 0 then trim(completed, tonumber(ARGV[9])) end
if #buried > 0 then trim(failed, tonumber(ARGV[10])) end
if ARGV[13] ~= '0' then
  measure('c', #done, tonumber(ARGV[13]))
  measure('f', #buried + #dropped, tonumber(ARGV[13]))
end

local token = ARGV[4] ~= '' and ARGV[4] or session .. ':' .. seq
local lease = token .. '|' .. string.format('%.0f', now)
local taken = wanted > 0
  and takeJobs(wanted, lease, tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), settings, tonumber(ARGV[12]))
  or { 0, '', '', '', '', 0, '', '' }
local count = taken[1]
settled(session, seq, { refused, lease, taken[2], unready })

local more = returned or taken[7] ~= '' or (settings.concurrency and count < #freed) or (ARGV[11] == '1' and count == wanted)
if more and redis.call('ZCARD', wait) > 0 then wake() end
if wanted > 0 and count == 0 and #freed > 0 and redis.call('ZCARD', wait) == 0 then moved[#moved + 1] = { 'drained' } end

local changes = #done + #moved + count
if changes > 0 then
  local entry = {}
  local function note(field, value) entry[#entry + 1], entry[#entry + 2] = field, value end
  if #done > 0 then note('done', table.concat(done, '\n')) note('results', table.concat(results)) end
  if #moved > 0 then note('moved', cmsgpack.pack(moved)) end
  if count > 0 then note('active', taken[2]) end
  publish(settings.maxEvents, changes, unpack(entry))
end
local due, expires = nextDue(count == 0, settings.nextSlot)
return { refused, now, lease, count, taken[2], taken[3], taken[4], taken[5], taken[6], taken[7], taken[8], due, expires,
  letters, settings.flows and 1 or 0, unready }
