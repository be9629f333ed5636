-- enqueue: adds a batch of jobs, each into `wait` or `delayed`, with one outcome per item.
-- KEYS  meta · job · wait · delayed · active · run · state · history · progress · logs · sessions · dedup · pending · marker · events
-- ARGV  session · seq · plain · ids · fresh · special · names · attended · worker · large
--       plain    MessagePack [id, record, …] or '': new ids made by the client, ascending, to the end of priority 0
--       ids      those of `plain`, one a line
--       fresh    MessagePack [id, record, delayMs, priority, lifo, facts, …] or '': new ids made by the client, ascending
--       special  MessagePack [[id, record, delayMs, priority, lifo, facts, dedup], …] or '': anything else; the id may exist.
--                facts is a packed map or ''; dedup is '' or [dedupId, ttlMs, extend, replace, keepLast, reschedule]
--       names    the names of all items in order (one if all are the same), one a line
--       attended '' · 0 when a worker of the caller's looks for jobs right behind this call: then no marker has to wake one · or,
--                for `plain`, the lease in ms under which `worker` is given them at once, if none wait before them and nothing limits it
--       large    records too large to be packed, an argument each: in their places stand the numbers of these
-- REPLY now · one outcome per special item: '' added, or the id of the job that stands in its place; or the lease of handed over `plain` jobs
-- COST  O(items · log n), at most 1,000 items
local meta, job, wait, delayed, active, run, state, history, progress, logs, sessions, dedup, pending, marker, events =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10],
  KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15]
-- The pieces below are statements in their order, not functions: a function costs its closure at every call.
-- include shared/now.lua
-- include shared/publish.lua
-- include shared/sessions.lua

local session, seq = ARGV[1], ARGV[2]
local earlier = replayed(session, seq)
if earlier then
  -- include shared/still-held.lua
  return earlier
end

-- include shared/settings.lua
local reply, notes, added, count, ready, isTaken = { now }, {}, ARGV[4], 0, false, false
-- Everything below writes. The first write is one that Redis refuses when it is out of memory or read-only,
-- so that a refusal leaves nothing half done.
if ARGV[3] ~= '' then
  local plain = cmsgpack.unpack(ARGV[3])
  if ARGV[10] then
    for i = 2, #plain, 2 do plain[i] = ARGV[plain[i]] or plain[i] end
  end
  redis.call('HSET', job, unpack(plain))
  local leaseMs = tonumber(ARGV[8]) or 0
  isTaken = leaseMs > 0 and not isLimited and redis.call('ZCARD', wait) == 0
  if isTaken then
    -- include shared/hand-over.lua
  else
    local last = redis.call('ZREVRANGEBYSCORE', wait, '(0', '-inf', 'WITHSCORES', 'LIMIT', '0', '1')[2]
    -- One score for the whole batch, as text: its ids ascend, and equal scores are ordered by id. See shared/place.lua.
    local place = string.format('%.0f', last and math.min(last + 1, -1) or -2251799813685247)
    for i = 1, #plain, 2 do plain[i], plain[i + 1] = place, plain[i] end
    redis.call('ZADD', wait, unpack(plain))
  end
  count, ready = #plain / 2, true
else
  -- include shared/place.lua
  -- include shared/put-down.lua
  if ARGV[5] ~= '' then
    -- include shared/add-fresh.lua
  else
    -- include shared/add-special.lua
  end
end

if ARGV[10] then redis.call('HSET', meta, 'large', '1') end
if ready and ARGV[8] == '' and not settings[1] then redis.call('ZADD', marker, '0', '0') end
settled(session, seq, reply)
publish(tonumber(settings[2] or 10000), isTaken and 2 * count or count, 'added', added, 'names', ARGV[7],
  isTaken and 'active' or 'moved', isTaken and added or #notes > 0 and cmsgpack.pack(notes) or '')
return reply
