-- settle: ends, retries, delays or gives back jobs that the caller holds, and takes the next ones: one call for both.
-- KEYS  meta · job · wait · delayed · active · completed · failed · run · state · outcome · history · progress · logs · expire · sessions · dedup · outbox · pending · orphans · marker · rate · events · metrics · parents · children
-- ARGV  session · seq · ended · token · wanted · leaseMs · max · durationMs · keepCompleted · keepFailed · woken · prefetch · minutes · near
--       ended    MessagePack [lease, ids, kinds, payloads, …]: jobs in the order of their ends, grouped by lease. kinds: a
--                digit per job, or '' when all are 0. payloads: one per job, or '' when all have the outcome nil
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
--       near     '', or MessagePack [prefix, queue, parent, …]: parents in this queue, which hear at once of children that end; from
--                `children` on a key for the books of each
-- REPLY now · lease · ids (one a line) · records (in a row, a list if they are large, or 1: to be read by the caller) · waitMs · due · expires · more
--       waitMs   how long a limit keeps jobs back, or -1 when the queue is paused or at its concurrency
--       due      when the next delayed job or schedule is due · expires when the next lease runs out, told when nothing was taken; 0 for never
--       more     '', or [refused, unready, letters, states, missing, flows]: refused item numbers (from 0) · unready item numbers: parents
--                with children to wait for, still held · letters [id, letter, …] · facts of the taken jobs, '' for none · ids
--                without a record (one a line) · 1 when the queue has flows
-- COST  O((items + wanted + parents) · log n), at most 1,000 of each
local meta, job, wait, delayed, active, completed, failed, run, state, outcome, history, progress, logs, expire, sessions, dedup, outbox, pending, orphans, marker, rate, events, metrics, parents =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18], KEYS[19], KEYS[20],
  KEYS[21], KEYS[22], KEYS[23], KEYS[24]
-- The pieces below are statements in their order, not functions: a function costs its closure at every call. What few
-- calls need is defined where they need it.
-- include shared/now.lua
-- include shared/publish.lua
-- include shared/sessions.lua

local session, seq, wanted = ARGV[1], ARGV[2], tonumber(ARGV[5])
local earlier = replayed(session, seq)
-- include shared/retake.lua

local raw = redis.call('HMGET', meta, 'paused', 'limitedTill', 'concurrency', 'max', 'duration', 'maxEvents', 'nextSlot', 'flows', 'large')
local flows, moved, mail, returned = raw[8], {}, '', false
-- include shared/clock.lua
-- include shared/accept.lua
-- include shared/end-jobs.lua
-- include shared/take-jobs.lua

settled(session, seq, { refused, lease, joined, unready })

-- Wakes the next worker if more is waiting than the caller took, and nobody else may know of it. A caller that is kept back
-- by a limit of its own alone leaves all to others.
local isWoken, isBarred = ARGV[11] == '1', waitMs > 0 and not raw[5] and limitedTill <= now
local mayHaveMore = returned or missing ~= '' or (raw[3] and count < accepted) or (isWoken and (wanted == 0 or isBarred))
if (isWoken and isMore) or (mayHaveMore and redis.call('ZCARD', wait) > 0) then redis.call('ZADD', marker, '0', '0') end
if wanted > 0 and count == 0 and accepted > 0 and (room > 0 and missing == '' or redis.call('ZCARD', wait) == 0) then
  moved[#moved + 1] = { 'drained' }
end

local changes = #done + #moved + count
if changes > 0 then
  local entry, n = {}, 0
  if #done > 0 then
    entry[1], entry[2], entry[3], entry[4], n = 'done', table.concat(done, '\n'), 'results', results, 4
  end
  if #moved > 0 then entry[n + 1], entry[n + 2], n = 'moved', cmsgpack.pack(moved), n + 2 end
  if count > 0 then entry[n + 1], entry[n + 2] = 'active', joined end
  publish(tonumber(raw[6] or 10000), changes, unpack(entry))
end

local first, due, expires = redis.call('ZRANGE', delayed, '0', '0', 'WITHSCORES'), tonumber(raw[7] or 0) or 0, 0
if first[2] and (due == 0 or tonumber(first[2]) < due) then due = tonumber(first[2]) end
if count == 0 then
  first = redis.call('ZRANGE', active, '0', '0', 'WITHSCORES')
  expires = first[2] and math.ceil(tonumber(first[2])) or 0
end
local isBrief = not flows and states == '' and missing == '' and mail == '' and #refused == 0
return { now, lease, joined, records, waitMs, due, expires,
  isBrief and '' or { refused, unready, mail, states, missing, flows and 1 or 0 } }
